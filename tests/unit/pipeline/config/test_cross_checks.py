"""What one section of a YAML says of another must be true."""

from pathlib import Path

import pytest
import yaml

from pipeline.config.load import parse_job
from pipeline.config.measures import MEASURES, allowed
from tests.unit.pipeline.config.edited import ROOT, edited, error


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("impressions__label", "ad_id", "impressions.label: tables.impressions.columns.ad_id must be declared as"),
        ("impressions__rows", "nope", "impressions.rows: 'nope' is not a dated table"),
        ("impressions__user", "nope", "impressions.user: 'nope' is no column"),
        ("tables__impressions__time", "log_day", "tables.impressions.time: 'log_day' is declared as day"),
        ("tables__impressions__columns__is_click__allowed", [0, 1, 2], "impressions.label"),
        ("tables__impressions__columns__log_hourtime__min", 99, "min 99.0 is above max 23.0"),
        ("measures", {"several": {"multi": "tags"}}, "measures.several: is of requests that have candidates"),
        ("experiments__din__dims", {"user": 0}, "experiments.din.dims.user: 0 is not between 1 and 1024"),
        ("release__gate__margins", {"acu": 0.1}, "release.gate.margins: 'acu' is no measure of this job"),
        ("release__gate__floors", {"hit_1": 0.1}, "release.gate.floors: 'hit_1' is no measure of this job"),
        ("release__gate__calibration", [2, 1], "release.gate.calibration: [2.0, 1.0] holds no value"),
        (
            "release__gate__floors",
            {"calibration": 0.5},
            "release.gate.floors: 'calibration' cannot be named here, as "
            "its limits are release.gate.calibration: [lowest, highest]; one of auc, gauc, log_loss",
        ),
        ("release__gate__margins", {"hit_3_all": 0.1}, "margins: 'hit_3_all' is no measure of this job; one of auc"),
        ("release__gate__margins", {"auc": -0.1}, "release.gate.margins.auc: -0.1 can never act; it must be"),
        ("release__gate__margins", {"gauc": 2}, "release.gate.margins.gauc: 2 can never act"),
        ("release__gate__margins", {"log_loss": float("nan")}, "release.gate.margins.log_loss: nan can never act"),
        ("release__gate__floors", {"auc": 55}, "release.gate.floors.auc: 55 is no value of it, which lies between"),
        ("release__gate__floors", {"log_loss": -1}, "release.gate.floors.log_loss: -1 is no value of it, which"),
        ("release__gate__calibration", [-1, 0.8], "release.gate.calibration: [-1.0, 0.8] holds no value"),
        ("retention", {"released": -3}, "retention.released"),
        ("retention", {"extract_days": 1}, "conf/ads.yaml: retention.extract_days: "),
        ("retention", {"validated_days": "some"}, "retention.validated_days"),
        ("retention", {"feature_days": 2.5}, "retention.feature_days"),
        (
            "retention",
            {"validated_days": 7},
            "retention.validated_days: 7 is too few for validation.repeated_days: a "
            "day's rows are looked for in the 7 days before it; keep more than 7, or all",
        ),
        ("release__gate__rise", 0, "release.gate.rise: Input should be greater than 0"),
        ("release__gate__calibration", [float("nan"), 2], "release.gate.calibration: [nan, 2.0] holds no value"),
        ("measures__primary", "nope", "measures.primary: 'nope' is no measure"),
        ("measures__primary", "calibration", "measures.primary: 'calibration' cannot be named here"),
        ("alerts", {"measure": "ctr"}, "alerts.measure: 'ctr' is no measure of this job; one of auc, gauc, log_loss"),
        ("alerts", {"measure": "calibration"}, "alerts.measure: 'calibration' cannot be named here"),
        ("features__user_rate__side", "item", "features.user_rate: on the item's side, but its key 'user' is not"),
        ("features__user__bins", 4, "features.user_rate.counter.key: 'user' has `bins`, whose limits move"),
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
            for name in allowed(MEASURES[kind], use):  # type: ignore[index, arg-type]
                assert parse_job(edited(text, **{place: {name: 0.5}}), Path("x.yaml")).primary


def test_names_become_folders(ads: str) -> None:
    data = yaml.safe_load(ads)
    data["experiments"]["../x"] = data["experiments"]["din"]
    assert "experiments: '../x' must be lower-case letters" in error(yaml.safe_dump(data, sort_keys=False))
    data["job"] = "Ads"
    assert "job: 'Ads' must be lower-case letters" in error(yaml.safe_dump(data, sort_keys=False))


def test_a_name_is_no_longer_than_airflow_takes_it(ads: str) -> None:
    data = yaml.safe_load(ads)
    data["experiments"]["a" * 190] = data["experiments"]["din"]
    assert "a" * 190 in parse_job(yaml.safe_dump(data, sort_keys=False), Path("ads.yaml")).experiments
    data["experiments"]["a" * 191] = data["experiments"]["din"]
    assert "experiments: 'aaaaaaaaaaaaaaaaaaaa…' has 191 letters; 190 are the most" in error(
        yaml.safe_dump(data, sort_keys=False)
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


def test_days_are_kept_until_their_labels_have_matured_and_been_trained(ads: str) -> None:
    labels = {"delay_days": 30}
    for kept, said in (
        ({"extract_days": 30}, "extract_days: 30 is too few for labels.delay_days: 30 days later a day is read again"),
        ({"validated_days": 61}, "validated_days: 61 is too few for labels.delay_days: 30 days later a day is trained "
         "again, from at most 31 days before it; keep more than 61, or all"),
    ):  # fmt: skip
        assert f"retention.{said}" in error(edited(ads, labels=labels, retention=kept))
    for kept in ({"extract_days": 31, "validated_days": 62}, {"extract_days": "all", "validated_days": "all"}):
        parse_job(edited(ads, labels=labels, retention=kept), Path("conf/ads.yaml"))
    held = {"delay_days": 30, "until_then": "hold"}  # read once, and late
    parse_job(edited(ads, labels=held, release__by=None, retention={"extract_days": 8}), Path("conf/ads.yaml"))
    every = {"labels": labels, "release__keep_checkpoints": 31, "retention": {"validated_days": 38}}
    parse_job(edited(ads, **every), Path("conf/ads.yaml"))
    fewer = every | {"retention": {"validated_days": 37}}
    assert "retention.validated_days: 37 is too few for labels.delay_days: 30 days later a day is validated again" in (
        error(edited(ads, **fewer))
    )
