"""The measures of tested days, read from their manifests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.evaluation import measures_by_day
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.readable import Readable
from tests.unit.pipeline.release.days import FIRST, context

ROW = measures_by_day.TestedDay(
    FIRST, "a", FIRST.previous(), 40, {"auc": 0.61234567, "gauc": None, "requests": 12}, {"gauc": "one class"},
    {"x": 1}, {"known": {"auc": 0.5}},
)  # fmt: skip


def commit(here: JobContext, day: Any, experiment: str) -> None:
    with here.store.draft(Ref("test", here.job, day, experiment)) as draft:
        draft.commit(
            key="k", digest=f"{day} {experiment}", inputs=[], rows={"tested": 7},
            extra={"checkpoint_day": str(day.previous()), "values": {"auc": 0.5}, "reasons": {}, "counts": {},
                   "groups": {}, "checkpoint": "c"},
        )  # fmt: skip


def test_a_row_has_the_columns_asked_for_with_six_digits() -> None:
    assert ROW.row(["auc", "gauc", "requests", "gone"]) == {
        "day": "2024-03-01", "experiment": "a", "checkpoint": "2024-02-29", "rows": 40, "auc": "0.612346", "gauc": "",
        "requests": "12", "gone": "",
    }  # fmt: skip


def test_everything_is_values_as_they_are_with_their_reasons() -> None:
    found = ROW.row(["auc"], everything=True)
    assert (found["auc"], found["gauc"], found["reasons"]) == (0.61234567, None, {"gauc": "one class"})
    assert (found["counts"], found["groups"]) == ({"x": 1}, {"known": {"auc": 0.5}})


def test_by_day_then_in_the_order_of_the_settings_removed_experiments_last(tmp_path: Path) -> None:
    here = context(tmp_path)
    for day, name in ((FIRST.next(), "old"), (FIRST.next(), "b"), (FIRST.next(), "a"), (FIRST, "b")):
        commit(here, day, name)
    found = [(str(each.day), each.experiment) for each in measures_by_day.measured_days(here, Readable())]
    assert found == [("2024-03-01", "b"), ("2024-03-02", "a"), ("2024-03-02", "b"), ("2024-03-02", "old")]
    assert [each.experiment for each in measures_by_day.measured_days(here, Readable(), FIRST)] == ["b"]
    (only,) = measures_by_day.measured_days(here, Readable(), FIRST)
    assert (only.checkpoint, only.rows, only.values) == (FIRST.previous(), 7, {"auc": 0.5})
