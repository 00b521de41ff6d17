"""Windows of an owner's entries."""

from __future__ import annotations

from typing import Any

import numpy as np

from examples.serving.released.histories import History, last_year, widened
from examples.serving.released.ids import PAD, Feature

GONE = PAD["int"]
STORED = {
    "days": [92, 95, 95, 99], "items": [[1], [2], [3], [4]], "chapters": [[1, 2], [3], [], [4, 5, 6]],
    "outcome": [["click"], ["skip"], ["click"], ["long"]], "step.time": [[0], [1_000], [3_600_000], [7_200_000]],
}  # fmt: skip


def feature(kind: str, part: str = "items", **settings: Any) -> Feature:
    read = {"kind": kind, "source": f"history.{part}", "steps": 3, "lead": 0, "length": 4, "values": 2, **settings}
    return Feature("f", read, "int")


def values(which: Feature, *, calendar: bool = False, keep: int = 10) -> Any:
    return History(STORED, 100, calendar=calendar, now=10_800_000).values(which, keep).tolist()


def test_the_last_entries_oldest_first_then_padding() -> None:
    assert values(feature("sequence")) == [[2, 3, 4]]
    assert values(feature("sequence", steps=5)) == [[1, 2, 3, 4, GONE]]
    assert values(feature("sequence", levels=["long", "click"], steps=2)) == [[3, 4]]
    assert values(feature("sequence", levels=["skip"])) == [[2, GONE, GONE]]
    assert History(None, 100, calendar=False).values(feature("sequence"), 10).tolist() == [[GONE] * 3]


def test_a_slot_of_the_calendar_is_a_day() -> None:
    days = {**STORED, "days": [92, 95, 96, 99]}
    found = History(days, 100, calendar=True).values(feature("bag_sequence", "chapters", lead=2, steps=4), 10)
    assert found.tolist() == [[[GONE, GONE], [3, GONE], [GONE, GONE], [GONE, GONE], [GONE, GONE], [4, 5]]]
    digits = {"of": 2, "at": 1, "count": 1, "allowed": None, "plain": None}
    ruled = feature("bag_sequence", "chapters", digits=digits)
    assert (History(days, 100, calendar=True).values(ruled, 10) == GONE).all()


def test_sessions_are_split_by_gaps_or_days_and_the_last_ones_are_kept() -> None:
    by_gap = {"by": "gap", "gap_minutes": 30, "most": 2, "least": 1}
    assert values(feature("sessions", sessions=by_gap)) == [[[3, GONE, GONE], [4, GONE, GONE]]]
    by_day = {"by": "day", "most": 3, "least": 2}
    assert values(feature("sessions", sessions=by_day)) == [[[2, 3, GONE], [GONE] * 3, [GONE] * 3]]
    of_days = feature("sessions", "chapters", sessions={"by": "day", "most": 2, "least": 2}, length=10)
    assert values(of_days, calendar=True) == [[[1, 2, GONE], [4, 5, 6]]]


def test_ages_are_days_or_hours_to_the_request() -> None:
    history, steps = History(STORED, 100, calendar=False, now=10_800_000), feature("sequence", steps=5)
    days = history.ages(feature("ages", "age", unit="day"), steps, 10)
    np.testing.assert_array_equal(days, np.float32([[8, 5, 5, 1, np.nan]]))
    hours = history.ages(feature("ages", "age", unit="hour"), feature("sequence", steps=2), 10)
    np.testing.assert_array_equal(hours, np.float32([[2, 1]]))
    unknown = History(STORED, 100, calendar=False).ages(feature("ages", "age", unit="hour"), steps, 10)
    assert np.isnan(unknown).all()


def test_last_year_is_as_wide_as_its_fullest_day_and_can_be_widened() -> None:
    found = last_year(feature("bag_sequence", "chapters", values=8), [[], [1, 2, 3], [4]])
    assert found.shape == (1, 3, 4)
    assert found[0, 1].tolist() == [1, 2, 3, GONE]
    assert widened("int", found, 6)[0, 2].tolist() == [4, *[GONE] * 5]


def test_styles_are_counted_by_day() -> None:
    styles = History({"days": [97, 99], "styles": [[5, 6], [6, 9]]}, 100, calendar=True)
    assert styles.set_on([6, 5, 8], 3, 4).tolist() == [[2, 1, 0]]
    assert styles.set_on([6, 5, 8], 1, 2).tolist() == [[1]]
