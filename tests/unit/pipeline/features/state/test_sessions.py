"""A history split by day: a tiny log by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.features.state.sessions import by_day
from pipeline.features.state.windows import GAP

DAYS = np.array([10, 10, 12, 12, 12, 13, 20, 20, 30], np.int32)
"""Entries 0 … 8: of one owner two on day 10, three on 12, one on 13; of another two on 20, one on 30."""
POSITIONS = np.array([[0, 1, 2, 3, 4, 5], [6, 7, 8, GAP, GAP, GAP], [GAP] * 6, [2, 3, 4, 5, GAP, GAP]])


def test_the_entries_of_a_day_are_a_session_oldest_first() -> None:
    found = by_day(POSITIONS, DAYS, 3, 3, 1)
    assert found.tolist() == [
        [[0, 1, GAP], [2, 3, 4], [5, GAP, GAP]],
        [[6, 7, GAP], [8, GAP, GAP], [GAP] * 3],
        [[GAP] * 3] * 3,
        [[2, 3, 4], [5, GAP, GAP], [GAP] * 3],
    ]


def test_the_most_recent_sessions_and_steps_are_kept() -> None:
    assert by_day(POSITIONS, DAYS, 2, 2, 1).tolist() == [
        [[3, 4], [5, GAP]], [[6, 7], [8, GAP]], [[GAP] * 2] * 2, [[3, 4], [5, GAP]],
    ]  # fmt: skip


def test_short_sessions_are_none_and_take_no_place() -> None:
    # Days 13 and 30 have one entry each; what is kept of day 12 is cut after it was counted.
    assert by_day(POSITIONS, DAYS, 2, 2, 2).tolist() == [
        [[0, 1], [3, 4]], [[6, 7], [GAP] * 2], [[GAP] * 2] * 2, [[3, 4], [GAP] * 2],
    ]  # fmt: skip
    assert by_day(POSITIONS, DAYS, 1, 3, 3).tolist() == [[[2, 3, 4]], [[GAP] * 3], [[GAP] * 3], [[2, 3, 4]]]


@pytest.mark.parametrize("least", [1, 2, 3])
def test_as_a_loop_would_split_it(least: int) -> None:
    draw = np.random.default_rng(3)
    days = np.sort(draw.integers(0, 12, 400)).astype(np.int32)
    positions = np.full((9000, 8), GAP, np.int64)  # more than a block
    for row in range(len(positions)):
        size = draw.integers(0, 9)
        start = draw.integers(0, 400 - size)
        positions[row, :size] = np.arange(start, start + size)
    found = by_day(positions, days, 3, 2, least)
    for row in range(0, len(positions), 7):
        expected = np.full((3, 2), GAP)
        entries = positions[row][positions[row] != GAP]
        split = [entries[days[entries] == day] for day in np.unique(days[entries])]
        for place, session in enumerate([each for each in split if len(each) >= least][-3:]):
            expected[place, : len(session[-2:])] = session[-2:]
        assert found[row].tolist() == expected.tolist()


def test_nobody_and_nothing() -> None:
    assert by_day(np.zeros((0, 4), np.int64), DAYS, 2, 2, 1).shape == (0, 2, 2)
    assert (by_day(np.full((2, 0), GAP), DAYS, 2, 2, 1) == GAP).all()
