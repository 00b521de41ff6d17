"""Columns of rows: lists as offsets and values."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.features.frames.frame import Frame, Lists, singles

LISTS = Lists.of([[1, 2, 3], [], [4], [5, 6]], np.int64)


def rows(lists: Lists) -> list[list[int]]:
    return [lists.values[a:b].tolist() for a, b in zip(lists.offsets[:-1], lists.offsets[1:], strict=True)]


def test_lists_are_offsets_and_values() -> None:
    assert (LISTS.offsets.tolist(), LISTS.values.tolist()) == ([0, 3, 3, 4, 6], [1, 2, 3, 4, 5, 6])
    assert (len(LISTS), LISTS.lengths.tolist()) == (4, [3, 0, 1, 2])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [([3, 0, 0], [[5, 6], [1, 2, 3], [1, 2, 3]]), ([1, 2], [[], [4]]), ([], [])],
)
def test_rows_are_taken_in_any_order_and_more_than_once(wanted: list[int], found: list[list[int]]) -> None:
    assert rows(LISTS.take(np.array(wanted, np.int64))) == found


@pytest.mark.parametrize(
    ("width", "found"),
    [(2, [[1, 2], [9, 9], [4, 9], [5, 6]]),
     (4, [[1, 2, 3, 9], [9, 9, 9, 9], [4, 9, 9, 9], [5, 6, 9, 9]]), (0, [[]] * 4)],
)  # fmt: skip
def test_lists_as_a_matrix_are_cut_and_filled(width: int, found: list[list[int]]) -> None:
    assert LISTS.padded(width, 9).tolist() == found
    assert Lists.of([[], []], object).padded(1, "").tolist() == [[""], [""]]


def test_rows_of_a_frame_stay_together() -> None:
    frame = Frame(4, {"lists": LISTS, "flat": np.array([10, 20, 30, 40])}).take(np.array([2, 0]))
    assert frame.rows == 2
    lists = frame["lists"]
    assert isinstance(lists, Lists)
    assert rows(lists) == [[4], [1, 2, 3]]
    assert frame["flat"].tolist() == [30, 10]  # type: ignore[union-attr]


def test_a_number_beyond_float32_is_its_largest_and_a_missing_one_stays_missing() -> None:
    largest = float(np.finfo(np.float32).max)
    found = singles(np.array([1e300, -np.inf, 0.5, np.nan]))
    assert found.dtype == np.float32
    assert found[:3].tolist() == [largest, -largest, 0.5]
    assert np.isnan(found[3])
