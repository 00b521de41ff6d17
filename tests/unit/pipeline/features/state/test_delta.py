"""A day's events as stored arrays, and back."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.features.frames.frame import Lists
from pipeline.features.state.delta import Delta, names, put_lists, take_lists
from tests.unit.pipeline.features.state_jobs import FIRST_DAY, random_events, ranking


@pytest.mark.parametrize("rows", [0, 1, 12])
def test_stored_and_read_again_it_is_the_same(rows: int) -> None:
    events = random_events(ranking(), FIRST_DAY, np.random.default_rng(rows), rows)
    arrays = Delta(events).arrays()
    assert list(arrays) == sorted(arrays)
    again = Delta.from_arrays(FIRST_DAY, arrays)
    assert again.events.day == FIRST_DAY
    assert set(again.events.keys) == set(events.keys)
    back = again.arrays()
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        assert (back[name].dtype, back[name].shape, back[name].tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_lists_are_their_lengths_and_their_values() -> None:
    stored = put_lists("history/styles", Lists.of([[4, 5], [], [6]], np.int64))
    assert stored["history/styles/lengths"].tolist() == [2, 0, 1]
    assert stored["history/styles/lengths"].dtype == np.int32
    found = take_lists(stored, "history/styles")
    assert (found.offsets.tolist(), found.values.tolist()) == ([0, 2, 2, 3], [4, 5, 6])


def test_a_part_of_lists_is_stored_without_what_lies_before_it() -> None:
    whole = Lists.of([[1], [2, 3], [4]], np.int64)
    tail = Lists(whole.offsets[1:], whole.values)
    assert put_lists("x", tail)["x/values"].tolist() == [2, 3, 4]


def test_names_come_once_each_in_order() -> None:
    arrays = dict.fromkeys(["key/b", "key/a", "history/x/lengths", "history/x/values", "keys/c"], np.zeros(0))
    assert (names(arrays, "key"), names(arrays, "history"), names(arrays, "none")) == (["b", "a"], ["x"], [])
