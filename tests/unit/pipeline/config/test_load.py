"""Every mistake in a YAML is named by file, field and value."""

from pathlib import Path

import pytest
import yaml

from pipeline.config.load import load_job, parse_job
from pipeline.days import Day
from pipeline.errors import ConfigError

ROOT = Path(__file__).resolve().parents[4]
ALL = [(folder, job) for folder in ("conf", "examples/conf") for job in ("homework", "ads")]


def edited(text: str, **changes: object) -> str:
    data = yaml.safe_load(text)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = data
        for part in parents:
            place = place[part]
        place[last] = value
    return yaml.safe_dump(data, sort_keys=False)


@pytest.fixture
def ads() -> str:
    return (ROOT / "conf" / "ads.yaml").read_text(encoding="utf-8")


def error(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_job(text, Path("conf/ads.yaml"))
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(("folder", "job"), ALL)
def test_the_projects_own_files_are_good(folder: str, job: str) -> None:
    config = load_job(job, ROOT / folder)
    assert len(config.experiments) == 2
    for name in config.experiments:
        assert config.experiment_schema(name).features


def test_unknown_key(ads: str) -> None:
    assert error(edited(ads, experiments__din__learnin_rate=0.1)) == (
        "conf/ads.yaml: experiments.din.learnin_rate: no such setting; check its spelling and place"
    )


def test_wrong_type_names_field_and_value(ads: str) -> None:
    message = error(edited(ads, experiments__din__batch="many"))
    assert message.startswith("conf/ads.yaml: experiments.din.batch:")
    assert "'many'" in message


def test_a_key_that_stands_twice(ads: str) -> None:
    assert "the key 'job' stands twice" in error(ads + "\njob: ads\n")


def test_broken_yaml_names_the_line() -> None:
    assert "line 2" in error("job: ads\n  kind: [")


def test_day_in_the_wrong_format(ads: str) -> None:
    message = error(edited(ads, dirty_days=["2024/03/01"]))
    assert "dirty_days.0" in message
    assert "YYYY-MM-DD" in message


def test_champion_must_be_an_experiment(ads: str) -> None:
    assert "release.champion: 'dien' is not an experiment" in error(edited(ads, release__champion="dien"))


def test_counter_key_must_be_a_feature(ads: str) -> None:
    changed = edited(
        ads, features__user_rate={"kind": "dense", "side": "pair", "counter": {"key": ["usr"], "measure": "rate"}}
    )
    assert "features.user_rate.counter.key: 'usr' is not a feature" in error(changed)


def test_unknown_time_zone(ads: str) -> None:
    assert "'Mars/Base' is not a time zone" in error(edited(ads, timezone="Mars/Base"))


def test_missing_file_names_the_jobs_that_are_there() -> None:
    with pytest.raises(ConfigError, match=r"jobs in .*: ads, homework"):
        load_job("nothing", ROOT / "conf")


def test_settings_of_one_experiment_leave_other_stages_alone(ads: str) -> None:
    before = parse_job(ads, Path("ads.yaml"))
    after = parse_job(edited(ads, experiments__din__learning_rate=0.005), Path("ads.yaml"))
    for stage in ("extract", "validate", "update_id_maps", "build_features"):
        assert before.stage_settings(stage) == after.stage_settings(stage)
    assert before.stage_settings("train", "pooled") == after.stage_settings("train", "pooled")
    assert before.stage_settings("train", "din") != after.stage_settings("train", "din")


def test_source_by_range_of_days(ads: str) -> None:
    changed = edited(
        ads, tables__impressions__sources=[{"source": "midas_offline", "first": "2024-03-02", "last": "2024-03-03"}]
    )
    table = parse_job(changed, Path("ads.yaml")).tables["impressions"]
    assert [table.source_on(Day.of(2024, 3, day)) for day in (1, 2, 4)] == [
        "midas_online_context", "midas_offline", "midas_online_context",
    ]  # fmt: skip
