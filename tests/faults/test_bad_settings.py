"""Wrong use and wrong settings: exit 2, one message that names the file, the field, the value and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.days import Day
from tests.tiny import FIRST, LAST, SECOND, Place

Change = Callable[[dict[str, Any]], object]

WRONG_YAML: dict[str, tuple[Change, str, str]] = {
    "an unknown key": (lambda job: job.update(treads=2), "treads", "no such setting"),
    "an unknown key deep down": (
        lambda job: job["tables"]["impressions"]["columns"]["ad_id"].update(kind="int"),
        "tables.impressions.columns.ad_id.kind", "no such setting",
    ),
    "a word for a number": (lambda job: job.update(threads="two"), "threads", "'two'"),
    "a number out of range": (lambda job: job["experiments"]["din"].update(learning_rate=7), "learning_rate", "7"),
    "an unknown type": (
        lambda job: job["tables"]["ads"]["columns"]["ad_id"].update(type="integer"),
        "tables.ads.columns.ad_id.type", "'integer'",
    ),
    "a day that is none": (lambda job: job.update(start="2024-02-30"), "start", "2024-02-30"),
    "no such time zone": (lambda job: job.update(timezone="Asia/Shangai"), "timezone", "'Asia/Shangai'"),
    "no such model": (lambda job: job["experiments"]["din"].update(model="dinn"), "experiments.din", "dinn"),
    "no such encoder": (
        lambda job: job["experiments"]["din"]["options"].update(encoders={"behaviours": {"type": "gru9"}}),
        "options.encoders.behaviours.type", "one of attentive, bgru, bst, dien, din, dsin, gru, pooled",
    ),
    "an encoder of another width than the product needs": (
        lambda job: job["experiments"]["din"].update(
            model="pooled", options={"encoders": {"clicked_ads": {"type": "gru", "units": 12}}}
        ),
        "experiments.din: model 'pooled': the history 'clicked_ads'", "is read as 12 values, but its steps have",
    ),
    "no such option": (lambda job: job["experiments"]["din"]["options"].update(unit=3), "experiments.din", "unit"),
    "an option of the wrong type": (
        lambda job: job["experiments"]["din"]["options"].update(units="wide"), "experiments.din", "'wide'",
    ),
    "an attention without a layer": (
        lambda job: job["experiments"]["din"]["options"].update(attention_units=[]), "experiments.din",
        "option 'attention_units': [] is not a list of one or more",
    ),
    "options that are a list": (
        lambda job: job["experiments"]["din"].update(options=["units", 3]), "experiments.din.options",
        "['units', 3] is not a mapping",
    ),
    "no such champion": (lambda job: job["release"].update(champion="best"), "release.champion", "'best'"),
    "a feature without its space": (lambda job: job["spaces"].pop("hour"), "features.hour.space", "'hour'"),
    "a feature that the model cannot name": (
        lambda job: job["features"].update({"class": job["features"]["hour"]}), "features.class", "class_id",
    ),
    "a column that the table lacks": (
        lambda job: job["features"]["hour"].update(source="row.log_hour"), "features.hour.source", "'row.log_hour'",
    ),
    "a frame that there is not": (
        lambda job: job["features"]["ad"].update(source="ad.ad_id"), "features.ad.source", "'ad.ad_id'",
    ),
    "a column on the wrong side": (
        lambda job: job["features"]["label_values"].update(side="request"), "features.label_values.side", "'request'",
    ),
    "the label as a feature": (
        lambda job: job["features"]["hour"].update(source="row.is_click"), "features.hour.source", "is the label",
    ),
    "a column that needs a space of its own": (
        lambda job: (job["features"].pop("user"), job["features"]["user_rate"]["counter"].update(key=["ad"])),
        "impressions.user", "'user_id' needs a feature of its own",
    ),
    "a table that is not declared": (
        lambda job: job["impressions"]["items"].update(table="adverts"), "impressions.items.table", "'adverts'",
    ),
    "a table that nothing is made of": (
        lambda job: job["tables"].update(spare={**job["tables"]["users"], "keys": None}),
        "tables.spare", "nothing is made of it",
    ),
    "a label delay of no days": (lambda job: job.update(labels={"delay_days": 0}), "labels.delay_days", "0"),
    "a table without a section": (lambda job: job.pop("tables"), "tables", "required"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_YAML)
def test_a_wrong_setting_is_named_by_config_check(place: Place, name: str) -> None:
    change, field, value = WRONG_YAML[name]
    settings = place.settings("ads")
    change(settings)
    path = place.configure("ads", settings)
    ran = place.run("config", "check", "--job", "ads")
    assert ran.code == 2
    assert ran.out == ""
    told = [line for line in ran.err.splitlines() if field in line]
    assert len(told) == 1, ran.err
    assert told[0].startswith(f"{path}: ")
    assert value in told[0]


@pytest.mark.parametrize("name", ["an unknown key", "no such model", "an option of the wrong type"])
def test_a_wrong_setting_stops_every_command_before_it_does_anything(place: Place, name: str) -> None:
    change, field, _ = WRONG_YAML[name]
    settings = place.settings("ads")
    change(settings)
    place.configure("ads", settings)
    ran = place.run("run", "--job", "ads", "--day", FIRST)
    assert ran.code == 2
    assert field in ran.message
    assert "Traceback" not in ran.err
    assert not place.root.exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("job: ads\njob: ads\n", "line 2, column 1: not valid YAML: the key 'job' stands twice"),
        ("tables: [", "not valid YAML"),
        ("- a\n- b\n", "holds list, not the settings of a job"),
        ("", "holds NoneType, not the settings of a job"),
    ],
)
def test_broken_yaml_is_told_with_its_place(place: Place, text: str, told: str) -> None:
    path = place.configure("ads", text)
    ran = place.run("status", "--job", "ads")
    assert ran.code == 2
    assert str(path) in ran.message
    assert told in ran.message


WRONG_USE: dict[str, tuple[tuple[object, ...], str]] = {
    "no command": ((), "required: COMMAND"),
    "no such command": (("retrain",), "invalid choice: 'retrain'"),
    "no job": (("run", "--day", FIRST), "required: --job"),
    "no such job": (("run", "--job", "adds", "--day", FIRST), "jobs in"),
    "a day in another format": (("run", "--job", "ads", "--day", "26.02.2024"), "'26.02.2024' is not a day"),
    "a day of no calendar": (
        ("run", "--job", "ads", "--day", "2024-02-30"),
        "'2024-02-30' is not a day of the calendar",
    ),
    "a future day": (("run", "--job", "ads", "--day", "2999-01-01"), "2999-01-01 is in the future"),
    "a future range": (
        ("backfill", "--job", "ads", "--from", FIRST, "--to", "2999-01-01"),
        "2999-01-01 is in the future",
    ),
    "a future stage": (("stage", "extract", "--job", "ads", "--day", "2999-01-01"), "2999-01-01 is in the future"),
    "a range backwards": (
        ("backfill", "--job", "ads", "--from", SECOND, "--to", FIRST),
        f"--from {SECOND} is after --to {FIRST}",
    ),
    "state from after the start": (
        ("backfill", "--job", "ads", "--from", FIRST, "--to", FIRST, "--state-from", SECOND), f"--state-from {SECOND}",
    ),
    "no such experiment": (
        ("backfill", "--job", "ads", "--from", FIRST, "--to", FIRST, "--experiment", "dinn"),
        "--experiment dinn: job 'ads' has pooled, din",
    ),
    "no such stage": (("stage", "train", "--job", "ads", "--day", FIRST), "invalid choice: 'train'"),
    "a stage of no experiment": (
        ("stage", "experiment", "--job", "ads", "--day", FIRST),
        "needs one --experiment; one of pooled, din",
    ),
    "a shared stage of one": (
        ("stage", "extract", "--job", "ads", "--day", FIRST, "--experiment", "din"),
        "--experiment is for the stage `experiment`",
    ),
    "epochs of a stage that does not train": (
        ("stage", "validate", "--job", "ads", "--day", FIRST, "--epochs", 2), "are for the stage `experiment`",
    ),
    "no epochs": (("run", "--job", "ads", "--day", FIRST, "--epochs", 0), "--epochs 0: give 1 to 100"),
    "a rate beyond 1": (("run", "--job", "ads", "--day", FIRST, "--learning-rate", 7), "--learning-rate 7"),
    "measures of a stage that has none": (
        ("stage", "extract", "--job", "ads", "--day", FIRST, "--json"), "--json is for the stage `report`",
    ),
    "accepting without a reason": (
        ("run", "--job", "ads", "--day", FIRST, "--accept-day", FIRST),
        "--accept-day needs --reason",
    ),
    "a reason for nothing": (("run", "--job", "ads", "--day", FIRST, "--reason", "why"), "--reason"),
    "reprocessing a release": (("stage", "publish", "--job", "ads", "--day", FIRST, "--reprocess"), "--reprocess"),
    "nothing to publish": (
        ("backfill", "--job", "ads", "--from", FIRST, "--to", LAST, "--publish", "all"),
        "invalid choice: 'all'",
    ),
    "no such root": (("compare-chains", "/nowhere/a", "/nowhere/b", "--job", "ads"), "/nowhere/a: no such folder"),
    "tainting what is not there": (
        ("taint", "--job", "ads", "--day", FIRST, "--reason", "x"),
        f"{FIRST}: not trained by pooled, din",
    ),
    "tainting an unknown experiment": (
        ("taint", "--job", "ads", "--day", FIRST, "--reason", "x", "--experiment", "dinn"), "--experiment dinn",
    ),
    "promoting an unknown experiment": (("promote", "--job", "ads", "--experiment", "dinn"), "--experiment dinn"),
    "a teacher for the ads": (("recommend", "--job", "ads", "--teacher", 7, "--class", 8), "give --user"),
    "a user for the homework": (("recommend", "--job", "homework", "--user", 7), "give --teacher and --class"),
    "a list of none": (("recommend", "--job", "ads", "--user", 7, "--top", 0), "--top 0: at least 1"),
    "measures of an unknown experiment": (("measures", "--job", "ads", "--experiment", "dinn"), "--experiment dinn"),
    "status of an unknown experiment": (("status", "--job", "ads", "--experiment", "dinn"), "--experiment dinn"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_USE)
def test_wrong_use_exits_with_2_and_says_what_is_right(school: Place, name: str) -> None:
    arguments, told = WRONG_USE[name]
    ran = school.run(*arguments)
    assert ran.code == 2, ran.err
    assert told in ran.message
    assert "Traceback" not in ran.err
    assert not school.root.exists()


def test_pruning_nothing_is_skipped(school: Place) -> None:
    ran = school.run("prune", "--job", "ads")
    assert (ran.code, "no days under" in ran.message) == (99, True)
    assert not school.root.exists()


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("DAYSPRING_ADS_URL", "mongo://host/db", "DAYSPRING_ADS_URL"),
        ("DAYSPRING_ADS_URL", "parquet:", "names no folder"),
        ("DAYSPRING_CONF", "/nowhere", "/nowhere"),
    ],
)
def test_a_wrong_variable_is_named(place: Place, variable: str, value: str, told: str) -> None:
    place.environment[variable] = value
    ran = place.run("run", "--job", "ads", "--day", FIRST)
    assert ran.code == 2
    assert told in ran.message


def test_a_day_before_its_time_zone_has_reached_it_is_in_the_future(place: Place) -> None:
    settings = place.settings("ads")
    settings["timezone"] = "Etc/GMT+12"
    place.configure("ads", settings)
    tomorrow = Day.today("Etc/GMT+12").next()
    ran = place.run("run", "--job", "ads", "--day", tomorrow)
    assert (ran.code, f"{tomorrow} is in the future" in ran.message) == (2, True)
