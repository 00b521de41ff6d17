"""Bins of numbers: limits at quantiles of past days, alike on every way."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.schema import MISSING_INT
from pipeline.config.bins import Bins
from pipeline.days import Day
from pipeline.features.state.bins import BinTable, Tally, bins_of, numbers_of

DAY = Day.of(2024, 1, 1)
FLOATS = st.lists(st.floats(width=32, allow_subnormal=False), max_size=50)


def tally(*numbers: float) -> Tally:
    return Tally.of(np.array(numbers, np.float32))


def read(table: BinTable, *numbers: float) -> list[int]:
    return bins_of(np.array(numbers, np.float32), table.limits).tolist()


def test_limits_are_quantiles_and_equal_numbers_have_a_bin_of_their_own() -> None:
    """Of 1 … 8 four bins of two; of six zeros and two others bins 0 to 2 hold nothing: a bin keeps its quantile."""
    assert tally(*range(1, 9)).limits(4).tolist() == [3, 5, 7]
    table = BinTable.empty(Bins(count=4)).after(DAY, tally(0, 0, 0, 0, 0, 0, 5, 9))
    assert table.limits.tolist() == [0, 0, 5]
    assert read(table, -1, 0, 4.9, 5, 100, np.nan) == [0, 2, 2, 3, 3, MISSING_INT]
    table = BinTable.empty(Bins(count=4)).after(DAY, tally(-8, -2, -1, 0))
    assert read(table, -8, -3, -2, -1.5, -1, 0) == [0, 0, 1, 1, 2, 3]


def test_a_number_is_counted_in_a_cell_of_point_four_percent() -> None:
    assert tally(*range(-512, 513)).counts.max() == 1
    assert tally(1000, 1001, 1002, 1004).counts.tolist() == [2, 1, 1]
    assert tally(np.nan, np.inf, -np.inf, 0.0, -0.0).counts.tolist() == [2], "what is no number is none; -0 is 0"


def test_limits_are_fitted_anew_after_some_days_and_stand_until_then() -> None:
    table = BinTable.empty(Bins(count=2, every=3))
    assert read(table, 1.0) == [MISSING_INT], "nothing is known yet"
    table = table.after(DAY, tally())
    assert (table.fitted, len(table.limits)) == (0, 0), "a day without a number is none"
    table = table.after(DAY.plus(1), tally(1, 2, 3, 4))
    assert table.limits.tolist() == [3]
    for step in (2, 3):
        table = table.after(DAY.plus(step), tally(10, 20, 30, 40))
        assert table.limits.tolist() == [3]
    table = table.after(DAY.plus(4), None)
    assert (table.limits.tolist(), table.fitted) == ([3], DAY.plus(1).ordinal), "stored before anybody asked"
    table = table.after(DAY.plus(5), tally(50))
    assert (table.limits.tolist(), table.fitted) == ([20], DAY.plus(5).ordinal), "of all days: six of thirteen below"


@settings(deadline=None, max_examples=50)
@given(st.lists(FLOATS, min_size=1, max_size=4))
def test_days_add_up_to_what_all_their_numbers_are(days: list[list[float]]) -> None:
    whole = Tally.of(np.array([x for day in days for x in day], np.float32))
    parts = tally()
    for day in days:
        parts = parts.plus(tally(*day))
    assert np.array_equal(parts.cells, whole.cells)
    assert np.array_equal(parts.counts, whole.counts)
    if len(whole.cells):
        limits = whole.limits(5)
        assert all(one <= other for one, other in pairwise(limits.tolist()))
        below = np.searchsorted(limits, np.array([x for d in days for x in d if np.isfinite(x)], np.float32), "right")
        assert (below > 0).any(), "the lowest limit is reached by some number"


def test_what_is_stored_is_what_was() -> None:
    table = BinTable.empty(Bins(count=3)).after(DAY, tally(1, 5, 9))
    stored = {f"x/{name}": values for name, values in table.arrays().items()}
    again = BinTable.empty(Bins(count=3)).of(stored, "x")
    assert (again.limits.tolist(), again.fitted) == ([5, 9], DAY.ordinal)
    assert again.past.counts.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("limits", "bins", "numbers", "again"),
    [
        ([3.0, 5.0], [0, 1, 2, MISSING_INT], [np.nextafter(np.float32(3), np.float32(0)), 3, 5, np.nan], [0, 1, 2]),
        ([0.0, 0.0, 5.0], [1, 2, 3, 9], [0, 0, 5, np.nan], [2, 2, 3]),
        ([], [0, 1], [np.nan, np.nan], []),
    ],
)
def test_a_number_of_a_bin_is_in_it(
    limits: list[float], bins: list[int], numbers: list[float], again: list[int]
) -> None:
    """Of one that nothing can be in it is in the next."""
    ends = np.array(limits, np.float32)
    found = numbers_of(np.array(bins, np.int64), ends)
    assert np.array_equal(found, np.array(numbers, np.float32), equal_nan=True)
    assert bins_of(found, ends)[: len(again)].tolist() == again


def test_a_number_below_zero_is_one_to_tensorflow_too() -> None:
    """It reads numbers that are nearer to 0 than any normal one as 0, which is in the next bin."""
    (found,) = numbers_of(np.zeros(1, np.int64), np.zeros(2, np.float32))
    assert found == -np.finfo(np.float32).tiny
