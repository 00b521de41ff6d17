"""Every mistake in a YAML is named by file, field and value."""

from pathlib import Path

import pytest
import yaml

from pipeline.config.load import load_job, parse_job
from pipeline.config.measures import allowed
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
    assert "'Asia' is not a time zone" in error(edited(ads, timezone="Asia"))  # a folder of them


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


def test_a_group_is_a_setting_of_the_features_and_none_where_it_is_not_set(ads: str) -> None:
    before, after = (parse_job(text, Path("ads.yaml")) for text in (ads, edited(ads, features__clicked_ads__group="x")))
    assert before.stage_settings("build_features") != after.stage_settings("build_features")
    assert before.stage_settings("validate") == after.stage_settings("validate")
    unset = parse_job(edited(ads, features__clicked_ads__group=None), Path("ads.yaml"))
    assert before.stage_settings("build_features") == unset.stage_settings("build_features")
    assert "`group` is for histories" in error(edited(ads, features__label_values__group="x"))
    item = {"kind": "sequence", "side": "item", "space": "ad", "source": "item.ad_id", "group": "x"}
    assert "on the request's side, not on the item's" in error(edited(ads, features__ad=item))


def test_source_by_range_of_days(ads: str) -> None:
    changed = edited(
        ads, tables__impressions__sources=[{"source": "midas_offline", "first": "2024-03-02", "last": "2024-03-03"}]
    )
    table = parse_job(changed, Path("ads.yaml")).tables["impressions"]
    assert [table.source_on(Day.of(2024, 3, day)) for day in (1, 2, 4)] == [
        "midas_online_context", "midas_offline", "midas_online_context",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("impressions__label", "ad_id", "impressions.label: tables.impressions.columns.ad_id must be declared as"),
        ("impressions__rows", "nope", "impressions.rows: 'nope' is not a dated table"),
        ("impressions__user", "nope", "impressions.user: 'nope' is no column"),
        ("tables__impressions__time", "log_day", "tables.impressions.time: 'log_day' is declared as day"),
        ("tables__impressions__columns__is_click__allowed", [0, 1, 2], "impressions.label"),
        ("tables__impressions__columns__log_hourtime__min", 99, "min 99.0 is above max 23.0"),
        ("experiments__din__dims", {"user": 0}, "experiments.din.dims.user: 0 is not between 1 and 1024"),
        ("release__gate__margins", {"acu": 0.1}, "release.gate.margins: 'acu' is no measure of this job"),
        ("release__gate__floors", {"hit_1": 0.1}, "release.gate.floors: 'hit_1' is no measure of this job"),
        ("release__gate__calibration", [2, 1], "release.gate.calibration: [2.0, 1.0] holds no value"),
        ("release__gate__floors", {"calibration": 0.5}, "release.gate.floors: 'calibration' cannot be named here, as "
         "its limits are release.gate.calibration: [lowest, highest]; one of auc, gauc, log_loss"),
        ("release__gate__margins", {"hit_3_all": 0.1}, "margins: 'hit_3_all' is no measure of this job; one of auc"),
        ("release__gate__margins", {"auc": -0.1}, "release.gate.margins.auc: -0.1 can never act; it must be"),
        ("release__gate__margins", {"gauc": 2}, "release.gate.margins.gauc: 2 can never act"),
        ("release__gate__margins", {"log_loss": float("nan")}, "release.gate.margins.log_loss: nan can never act"),
        ("release__gate__floors", {"auc": 55}, "release.gate.floors.auc: 55 is no value of it, which lies between"),
        ("release__gate__floors", {"log_loss": -1}, "release.gate.floors.log_loss: -1 is no value of it, which"),
        ("release__gate__calibration", [-1, 0.8], "release.gate.calibration: [-1.0, 0.8] holds no value"),
        ("retention", {"released": -3}, "retention.released"),
        ("release__gate__rise", 0, "release.gate.rise: Input should be greater than 0"),
        ("release__gate__calibration", [float("nan"), 2], "release.gate.calibration: [nan, 2.0] holds no value"),
        ("measures__primary", "nope", "measures.primary: 'nope' is no measure"),
        ("measures__primary", "calibration", "measures.primary: 'calibration' cannot be named here"),
        ("alerts", {"measure": "ctr"}, "alerts.measure: 'ctr' is no measure of this job; one of auc, gauc, log_loss"),
        ("alerts", {"measure": "calibration"}, "alerts.measure: 'calibration' cannot be named here"),
        ("features__user_rate__side", "item", "features.user_rate: on the item's side, but its key 'user' is not"),
        ("threads", True, "threads: is a number, not true or false"),
        ("experiments__din__dim", "8", "experiments.din.dim: is a whole number; write it without quotes"),
    ],
)
def test_what_one_section_says_of_another_must_be_true(ads: str, place: str, value: object, said: str) -> None:
    assert said in error(edited(ads, **{place: value}))


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("release__gate__margins", {"covered": 1}, "margins: 'covered' cannot be named here, as it is a count"),
        ("release__gate__margins", {"gauc": 0.1}, "margins: 'gauc' is no measure of this job; one of hit_1, hit_3"),
        ("release__gate__floors", {"hit_2": 0.1}, "release.gate.floors: 'hit_2' is no measure of this job"),
        ("alerts", {"measure": "requests"}, "alerts.measure: 'requests' cannot be named here, as it is a count"),
        ("measures__composite", {}, "measures.composite: {} is no mean of hit rates"),
        ("measures__composite", {0: 1.0}, "measures.composite: {0: 1.0} is no mean of hit rates"),
        ("measures__composite", {1: 1.0, 3: -0.5}, "is no mean of hit rates"),
    ],
)
def test_measures_of_a_ranking_are_named_where_they_act(place: str, value: object, said: str) -> None:
    text = (ROOT / "conf" / "homework.yaml").read_text(encoding="utf-8")
    assert said in error(edited(text, **{place: value}))


def test_every_measure_that_config_check_lets_pass_is_known_to_the_gate(ads: str) -> None:
    homework = (ROOT / "conf" / "homework.yaml").read_text(encoding="utf-8")
    for kind, text in (("impressions", ads), ("ranking", homework)):
        for use, place in (("margin", "release__gate__margins"), ("floor", "release__gate__floors")):
            for name in allowed(kind, use):  # type: ignore[arg-type]
                assert parse_job(edited(text, **{place: {name: 0.5}}), Path("x.yaml")).primary


def test_the_limit_of_a_rise_changes_no_digest_until_it_is_set(ads: str) -> None:
    before = parse_job(ads, Path("ads.yaml"))
    assert before.release.gate.rise == 0.1
    # Of the settings as they were before there was such a limit.
    assert "rise" not in before.model_dump(mode="json")["release"]["gate"]
    for value in (None, 0.3):
        after = parse_job(edited(ads, release__gate__rise=value), Path("ads.yaml"))
        assert before.stage_settings("gate") != after.stage_settings("gate")


def test_names_become_folders(ads: str) -> None:
    data = yaml.safe_load(ads)
    data["experiments"]["../x"] = data["experiments"]["din"]
    assert "experiments: '../x' must be lower-case letters" in error(yaml.safe_dump(data, sort_keys=False))


def test_buckets_rise() -> None:
    text = (ROOT / "conf" / "homework.yaml").read_text(encoding="utf-8")
    assert "`buckets` must rise" in error(edited(text, features__tenure__buckets=[3, 1]))


def test_a_number_may_be_written_with_an_exponent(ads: str) -> None:
    text = edited(ads).replace("batch: 256", "batch: 256\n    learning_rate: 1e-3", 1)
    assert parse_job(text, Path("conf/ads.yaml")).experiments["pooled"].learning_rate == 0.001


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "ads.yaml").write_bytes(b"job: ads\nnote: \xff\n")
    with pytest.raises(ConfigError, match=r"ads\.yaml: is not UTF-8 text \(byte 15\)"):
        load_job("ads", tmp_path)


def test_a_deadline_before_the_run_starts(ads: str) -> None:
    assert error(edited(ads, deadline_hours=-1.0)) == (
        "conf/ads.yaml: deadline_hours: before the end of the day, when its run starts; give the hours after it, 0 or "
        "more (got -1.0)"
    )


@pytest.mark.parametrize(("hours", "by"), [(4.5, "04:00"), (6, "04:00"), (0.02, "00:01"), (23.99, "23:59")])
def test_a_deadline_after_the_time_of_the_release(ads: str, hours: float, by: str) -> None:
    message = error(edited(ads, deadline_hours=hours, release__by=by))
    assert (
        f"release.by: '{by}' is before the deadline of the day's data, {hours:g} hours after the day's end" in message
    )


def test_a_deadline_that_leaves_time_for_the_release(ads: str) -> None:
    for hours, by in ((3, "04:00"), (4, "04:00"), (0, "00:00"), (6, None), (48, None)):
        parse_job(edited(ads, deadline_hours=hours, release__by=by), Path("conf/ads.yaml"))
    no_default = yaml.safe_load(ads)
    del no_default["release"]["by"]
    assert parse_job(yaml.safe_dump(no_default), Path("conf/ads.yaml")).release.by is None


def test_days_that_are_held_are_released_by_a_time_after_their_maturity(ads: str) -> None:
    held = {"delay_days": 2, "until_then": "hold"}
    parse_job(edited(ads, deadline_hours=52, labels=held), Path("conf/ads.yaml"))  # 04:00, two days later
    assert "release.by" in error(edited(ads, deadline_hours=52.5, labels=held))
    assert "release.by" in error(edited(ads, deadline_hours=6, labels={"delay_days": 2}))  # trained at once


@pytest.mark.parametrize("other", ["'1'", "0x1"])
def test_a_key_that_stands_twice_in_two_spellings_is_refused(other: str) -> None:
    """Of `1` and `'1'` the later weight would stand, in silence."""
    homework = (ROOT / "conf" / "homework.yaml").read_text(encoding="utf-8")
    text = homework.replace("composite: {1: 0.5,", f"composite: {{1: 0.5, {other}: 0.3,")
    assert text != homework
    assert "measures.composite: the key 1 stands twice, in two spellings" in error(text)
