"""The causes that a day's artefacts hold, one by one, and the days that hold none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.config.alerts import Alerts
from pipeline.config.experiment import Measures
from pipeline.config.load import load_job
from pipeline.days import Day
from pipeline.job import JobContext
from pipeline.monitoring.alerts.causes import Alert
from pipeline.monitoring.alerts.evaluate import evaluate
from pipeline.release.publish.release_files import Pointer, ReleaseFiles
from pipeline.storage.artifacts.artifact import Ref
from tests.tiny import PROJECT
from tests.unit.pipeline.said import said

DAY = Day.of(2024, 2, 29)


@pytest.fixture
def context(tmp_path: Path) -> JobContext:
    return JobContext(load_job("ads", PROJECT / "conf"), tmp_path)


def commit(context: JobContext, kind: str, day: Day, extra: dict[str, Any], experiment: str | None = "din") -> None:
    with context.store.draft(Ref(kind, "ads", day, experiment)) as draft:
        draft.commit(key=f"{extra}", digest="", inputs=[], extra=said(kind, **extra))


def told(context: JobContext, day: Day = DAY) -> dict[str, Alert]:
    """By kind; one of each."""
    found = evaluate(context, day)
    assert len({alert.key for alert in found}) == len(found)
    return {alert.kind: alert for alert in found}


def after_tests(context: JobContext, values: list[float | None], measure: str = "auc", experiment: str = "din") -> None:
    """Tested days, the last of them ``DAY``."""
    for back, value in enumerate(reversed(values)):
        commit(context, "test", DAY.plus(-back), {"values": {measure: value}}, experiment)


def test_a_day_without_anything_has_no_alerts(context: JobContext) -> None:
    assert evaluate(context, DAY) == []


def test_a_drop_against_the_trailing_week(context: JobContext) -> None:
    after_tests(context, [0.2, 0.7, 0.72, 0.68, None, 0.7, 0.71, 0.69, 0.55])
    alert = told(context)["measure_drop"]
    assert alert.experiment == "din"
    # The first day lies more than a week back, one has no value.
    assert alert.text.startswith("auc 0.5500, where the 6 tested days before it had 0.7000 on average (21% worse")


@pytest.mark.parametrize(
    ("values", "measure"),
    [
        ([0.7, 0.7, 0.7, 0.64], "auc"),
        ([0.7, 0.7, 0.3], "auc"),
        ([0.7, 0.7, 0.7, None], "auc"),
        ([0.3, 0.3, 0.3, 0.1], "log_loss"),
    ],
)
def test_no_drop(context: JobContext, values: list[float | None], measure: str) -> None:
    config = context.config.model_copy(update={"alerts": Alerts(measure=measure)})
    context = JobContext(config, context.root)
    after_tests(context, values, measure)
    assert evaluate(context, DAY) == []


def test_of_a_loss_more_is_worse(context: JobContext) -> None:
    context = JobContext(context.config.model_copy(update={"alerts": Alerts(measure="log_loss")}), context.root)
    after_tests(context, [0.3, 0.3, 0.3, 0.4], "log_loss")
    assert "33% worse" in told(context)["measure_drop"].text


def test_gate_and_check_that_block(context: JobContext) -> None:
    blocked = {"verdict": "block", "reasons": ["auc below its floor", "calibration 9"], "checkpoint": "checkpoint/x"}
    commit(context, "gate", DAY, blocked)
    commit(context, "check", DAY, {**blocked, "verdict": "ok"})
    commit(context, "gate", DAY, {**blocked, "verdict": "keep"}, "pooled")
    (alert,) = evaluate(context, DAY)
    assert (alert.kind, alert.experiment) == ("gate_block", "din")
    assert alert.text == "checkpoint/x may not be released: auc below its floor; calibration 9"
    commit(context, "check", DAY, blocked, "pooled")
    assert told(context)["check_block"].experiment == "pooled"


def test_a_rise_that_the_gate_did_not_believe(context: JobContext) -> None:
    judged = {"verdict": "inconclusive", "reasons": ["few users"], "checkpoint": "c"}
    commit(context, "gate", DAY, {**judged, "rise": "auc .98, too good"})
    commit(context, "gate", DAY, judged, "pooled")
    (alert,) = evaluate(context, DAY)
    assert (alert.kind, alert.experiment) == ("measure_rise", "din")
    assert alert.text.startswith("auc .98, too good; release.gate.rise is 0.1; were rows delivered again")
    assert "`python -m pipeline promote --job ads --experiment din`" in alert.text


def test_the_measure_that_is_told_is_the_primary_one(tmp_path: Path) -> None:
    context = JobContext(load_job("homework", PROJECT / "conf"), tmp_path)
    config = context.config.model_copy(update={"measures": Measures()})
    assert config.primary == "composite"
    for back in range(5):
        extra = {"values": {"composite": 0.3 if back == 0 else 0.6, "hit_3": 0.6}}
        with context.store.draft(Ref("test", "homework", DAY.plus(-back), "din")) as draft:
            draft.commit(key=f"{back}", digest="", inputs=[], extra=said("test", **extra))
    (alert,) = evaluate(JobContext(config, tmp_path), DAY)
    assert alert.text.startswith("composite 0.3000")


def test_growth_far_from_the_usual(context: JobContext) -> None:
    for back in range(1, 6):
        commit(context, "maps", DAY.plus(-back), {"new_ids": {"user": 300 + back, "ad": 4, "hour": 0}}, None)
    commit(context, "maps", DAY, {"new_ids": {"user": 3000, "ad": 60, "hour": 200}}, None)
    # Of few ids many times as many are still few.
    assert told(context)["map_growth"].text.startswith(
        "user 3,000 new ids (usually 303); hour 200 new ids (usually 0): outside alerts.growth"
    )
    commit(context, "maps", DAY, {"new_ids": {"user": 20, "ad": 0, "hour": 0}}, None)
    assert told(context)["map_growth"].text.startswith("user 20 new ids (usually 303):")
    commit(context, "maps", DAY, {"new_ids": {"user": 900, "ad": 99, "hour": 20}}, None)
    assert evaluate(context, DAY) == []


def test_the_first_days_have_no_usual_range(context: JobContext) -> None:
    commit(context, "maps", DAY.previous(), {"new_ids": {"user": 2}}, None)
    commit(context, "maps", DAY, {"new_ids": {"user": 90_000}}, None)
    assert evaluate(context, DAY) == []


def test_a_share_of_unknown_ids_far_above_the_usual(context: JobContext) -> None:
    def checked(day: Day, share: float) -> None:
        commit(context, "check", day, {"verdict": "ok", "figures": {"unknown": {"ad": share, "labels": 0.01}}})

    for back in range(1, 5):
        checked(DAY.plus(-back), 0.02)
    checked(DAY, 0.11)
    assert evaluate(context, DAY) == []
    checked(DAY, 0.31)
    alert = told(context)["unknown_ids"]
    assert alert.text.endswith("ad 31.0% (usually 2.0%)")


def test_a_day_that_did_not_come_is_told_and_a_dirty_one_is_not(context: JobContext) -> None:
    with context.store.draft(Ref("day", "ads", DAY)) as draft:
        draft.commit(key="", digest="", inputs=[], state="skipped", reason="no rows in any required table")
    alert = told(context)["late_day"]
    assert alert.text.startswith("skipped: no rows in any required table. Should it still come, `python -m pipeline")
    dirty = JobContext(context.config.model_copy(update={"dirty_days": (DAY,)}), context.root)
    assert evaluate(dirty, DAY) == []


def test_an_old_checkpoint_is_told_once_and_not_every_day(context: JobContext) -> None:
    trained = DAY.plus(-4)
    pointer = Pointer("r1", "ads", DAY, "din", f"checkpoint/ads/din/day={trained}/gen=0001", 1, {})
    ReleaseFiles.of(context.root, "ads").set_served(pointer)
    assert evaluate(context, DAY.plus(-1)) == []
    (today,) = evaluate(context, DAY)
    assert today.kind == "checkpoint_age"
    assert f"is 4 days old on {DAY} (alerts.age_days is 3)" in today.text
    assert [each.key for each in evaluate(context, DAY.next())] == [today.key]


def validated(context: JobContext, day: Day, price: int, rows: int = 200, *, absent: bool = False) -> None:
    counts = {"read": rows, "kept": rows, "quarantined": 0, "missing": {"price": price}}
    counts["missing_columns"] = ["price"] if absent else []
    commit(context, "validated", day, {"counts": {"impressions": counts}, "sources": {"impressions": "log"}}, None)


def test_a_column_that_vanished_is_told_once_with_what_to_do(context: JobContext) -> None:
    validated(context, DAY.plus(-1), 0)
    validated(context, DAY, 200, absent=True)
    validated(context, DAY.plus(1), 200, absent=True)
    alert = told(context)["missing_columns"]
    assert alert.text == (
        "impressions: the source no longer has price. If a column has another name now, say so by `source:` in "
        f"tables.impressions.columns and run `python -m pipeline run --job ads --day {DAY} --reprocess`"
    )
    assert alert.key.endswith("/missing_columns/impressions")
    assert evaluate(context, DAY.plus(1)) == []


def test_a_share_of_missing_values_far_from_the_usual(context: JobContext) -> None:
    for back in (3, 2, 1):
        validated(context, DAY.plus(-back), 10)
    validated(context, DAY, 80)
    assert told(context)["missing_values"].text.startswith(
        "impressions: rows without a value far from the usual: price 40.0% of 200 (usually 5.0%)"
    )
    more = context.config.model_copy(update={"alerts": Alerts(missing=0.5)})
    assert evaluate(JobContext(more, context.root), DAY) == []


def test_wild_values_are_told_once_for_all_experiments(context: JobContext) -> None:
    wild = {"wild_values": {"price": {"wild": 3, "known": 200, "furthest": 1e9, "anew": False}}}
    for experiment in ("din", "pooled"):
        commit(context, "checkpoint", DAY.previous(), {}, experiment)
        commit(context, "checkpoint", DAY, wild, experiment)
        commit(context, "checkpoint", DAY.next(), wild, experiment)
    alert = told(context)["wild_values"]
    assert alert.experiment is None
    assert alert.text.startswith("wild values bounded: price 3 of 200 (as far as 1e+09). `min:` and `max:`")
    assert evaluate(context, DAY.next()) == []
