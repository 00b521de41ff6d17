"""Every mistake in a YAML is named by file, field and value."""

from pathlib import Path

import pytest

from pipeline.config.load import load_job, parse_job
from pipeline.errors import ConfigError
from pipeline.features.plan.plan import Plan
from tests.unit.pipeline.config.edited import ROOT, edited, error

ALL = [
    ("conf", "homework", 2), ("conf", "ads", 2), ("examples/conf", "homework", 3), ("examples/conf", "ads", 3),
    ("examples/conf", "criteo", 14),
]  # fmt: skip


@pytest.mark.parametrize(("folder", "job", "experiments"), ALL)
def test_the_projects_own_files_are_good(folder: str, job: str, experiments: int) -> None:
    config = load_job(job, ROOT / folder)
    assert len(config.experiments) == experiments
    for name in config.experiments:
        assert config.experiment_schema(name).features


@pytest.mark.parametrize(("folder", "job"), [(folder, job) for folder, job, _ in ALL if job != "criteo"])
def test_files_of_quality_are_good(folder: str, job: str) -> None:
    config, plain = (load_job(job, ROOT / folder / each) for each in ("quality", "."))
    Plan(config)
    assert config.tables.keys() == plain.tables.keys()
    assert set(plain.spaces) <= set(config.spaces)


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("experiments__din__learnin_rate", "experiments.din.learnin_rate: no such setting (is 'learning_rate' meant?)"),
        ("experiments__din__lost", "experiments.din.lost: no such setting (is 'loss' meant?)"),
        ("deadline_hour", "deadline_hour: no such setting (is 'deadline_hours' meant?)"),
        ("tables__impressions__dayy", "tables.impressions.dayy: no such setting (is 'day' meant?)"),
        ("experiments__din__zzz", "experiments.din.zzz: no such setting"),
    ],
)
def test_unknown_key(ads: str, place: str, told: str) -> None:
    assert error(edited(ads, **{place: 0.1})) == f"conf/ads.yaml: {told}; check its spelling and place"


def test_wrong_type_names_field_and_value(ads: str) -> None:
    message = error(edited(ads, experiments__din__batch="many"))
    assert message.startswith("conf/ads.yaml: experiments.din.batch:")
    assert "'many'" in message


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("text", "'text' is not a mapping; write `name: value`, a line for each"),
        ("[units, 3]", "['units', 3] is not a mapping; write `name: value`, a line for each"),
        ("null", "null is not a mapping; write `name: value`, a line for each"),
        ("{5: 3}", "5 is no name; write `name: value`, the name as text"),
    ],
)
def test_options_are_names_and_values(ads: str, options: str, told: str) -> None:
    text = edited(ads, experiments__din__options="OPTIONS").replace("options: OPTIONS", f"options: {options}")
    assert error(text) == f"conf/ads.yaml: experiments.din.options: {told}"


def test_nothing_where_a_number_stands_is_told_as_written(ads: str) -> None:
    assert error(edited(ads, experiments__din__dim=None)).endswith("(got null)")


def test_a_key_that_stands_twice(ads: str) -> None:
    assert "the key 'job' stands twice" in error(ads + "\njob: ads\n")


def test_broken_yaml_names_the_line() -> None:
    assert "line 2" in error("job: ads\n  kind: [")


def test_day_in_the_wrong_format(ads: str) -> None:
    message = error(edited(ads, dirty_days=["2024/03/01"]))
    assert "dirty_days.0" in message
    assert "YYYY-MM-DD" in message


def test_missing_file_names_the_jobs_that_are_there() -> None:
    with pytest.raises(ConfigError, match=r"jobs in .*: ads, homework"):
        load_job("nothing", ROOT / "conf")


def test_a_number_may_be_written_with_an_exponent(ads: str) -> None:
    text = edited(ads).replace("batch: 256", "batch: 256\n    learning_rate: 1e-3", 1)
    assert parse_job(text, Path("conf/ads.yaml")).experiments["pooled"].learning_rate == 0.001


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "ads.yaml").write_bytes(b"job: ads\nnote: \xff\n")
    with pytest.raises(ConfigError, match=r"ads\.yaml: is not UTF-8 text \(byte 15\)"):
        load_job("ads", tmp_path)


@pytest.mark.parametrize("other", ["'1'", "0x1"])
def test_a_key_that_stands_twice_in_two_spellings_is_refused(other: str) -> None:
    """Of `1` and `'1'` the later weight would stand, in silence."""
    homework = (ROOT / "conf" / "homework.yaml").read_text(encoding="utf-8")
    text = homework.replace("composite: {1: 0.5,", f"composite: {{1: 0.5, {other}: 0.3,")
    assert text != homework
    assert "measures.composite: the key 1 stands twice, in two spellings" in error(text)
