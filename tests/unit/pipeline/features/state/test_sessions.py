"""A history split by day: a tiny log by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.features.state.sessions import last_of, of_days, of_gaps, split_by
from pipeline.features.state.windows import GAP

DAYS = np.array([10, 10, 12, 12, 12, 13, 20, 20, 30], np.int32)
"""Entries 0 … 8: of one owner two on day 10, three on 12, one on 13; of another two on 20, one on 30."""
POSITIONS = np.array([[0, 1, 2, 3, 4, 5], [6, 7, 8, GAP, GAP, GAP], [GAP] * 6, [2, 3, 4, 5, GAP, GAP]])


def test_the_entries_of_a_day_are_a_session_oldest_first() -> None:
    found = split_by(POSITIONS, of_days(DAYS), 3, 3, 1)
    assert found.tolist() == [
        [[0, 1, GAP], [2, 3, 4], [5, GAP, GAP]],
        [[6, 7, GAP], [8, GAP, GAP], [GAP] * 3],
        [[GAP] * 3] * 3,
        [[2, 3, 4], [5, GAP, GAP], [GAP] * 3],
    ]


def test_the_most_recent_sessions_and_steps_are_kept() -> None:
    assert split_by(POSITIONS, of_days(DAYS), 2, 2, 1).tolist() == [
        [[3, 4], [5, GAP]], [[6, 7], [8, GAP]], [[GAP] * 2] * 2, [[3, 4], [5, GAP]],
    ]  # fmt: skip


def test_short_sessions_are_none_and_take_no_place() -> None:
    # Days 13 and 30 have one entry each; what is kept of day 12 is cut after it was counted.
    assert split_by(POSITIONS, of_days(DAYS), 2, 2, 2).tolist() == [
        [[0, 1], [3, 4]], [[6, 7], [GAP] * 2], [[GAP] * 2] * 2, [[3, 4], [GAP] * 2],
    ]  # fmt: skip
    assert split_by(POSITIONS, of_days(DAYS), 1, 3, 3).tolist() == [[[2, 3, 4]], [[GAP] * 3], [[GAP] * 3], [[2, 3, 4]]]


@pytest.mark.parametrize("least", [1, 2, 3])
def test_as_a_loop_would_split_it(least: int) -> None:
    draw = np.random.default_rng(3)
    days = np.sort(draw.integers(0, 12, 400)).astype(np.int32)
    positions = np.full((9000, 8), GAP, np.int64)  # more than a block
    for row in range(len(positions)):
        size = draw.integers(0, 9)
        start = draw.integers(0, 400 - size)
        positions[row, :size] = np.arange(start, start + size)
    found = split_by(positions, of_days(days), 3, 2, least)
    for row in range(0, len(positions), 7):
        expected = np.full((3, 2), GAP)
        entries = positions[row][positions[row] != GAP]
        split = [entries[days[entries] == day] for day in np.unique(days[entries])]
        for place, session in enumerate([each for each in split if len(each) >= least][-3:]):
            expected[place, : len(session[-2:])] = session[-2:]
        assert found[row].tolist() == expected.tolist()


def test_nobody_and_nothing() -> None:
    assert split_by(np.zeros((0, 4), np.int64), of_days(DAYS), 2, 2, 1).shape == (0, 2, 2)
    assert (split_by(np.full((2, 0), GAP), of_days(DAYS), 2, 2, 1) == GAP).all()


def test_a_session_ends_with_a_longer_gap_than_said() -> None:
    # Of one owner after 0, 30, 60.001 and 70 minutes, and a click that says an earlier moment; another's begins anew.
    times = np.array([0, 1_800_000, 3_600_060, 4_200_000, 4_100_000, 0, 60_000], np.int64)
    assert of_gaps(times, 30)[1:5].tolist() == [False, True, False, False]
    found = split_by(np.array([[0, 1, 2, 3, 4], [5, 6, GAP, GAP, GAP]]), of_gaps(times, 30), 2, 3, 1)
    assert found.tolist() == [[[0, 1, GAP], [2, 3, 4]], [[5, 6, GAP], [GAP] * 3]]


@given(
    owners=st.lists(st.lists(st.integers(0, 100), max_size=8), min_size=1, max_size=5),
    gap=st.integers(1, 20), most=st.integers(1, 4), steps=st.integers(1, 4), least=st.integers(1, 3),
)  # fmt: skip
def test_gaps_split_as_a_loop_would(owners: list[list[int]], gap: int, most: int, steps: int, least: int) -> None:
    times = np.array([minute * 60_000 for own in owners for minute in sorted(own)], np.int64)
    positions, expected = np.full((len(owners), 9), GAP, np.int64), np.full((len(owners), most, steps), GAP)
    entry = 0
    for row, own in enumerate(owners):
        sessions: list[list[int]] = []
        last = None
        for place, minute in enumerate(sorted(own)):
            positions[row, place] = entry
            if last is None or minute - last > gap:
                sessions.append([])
            sessions[-1].append(entry)
            entry, last = entry + 1, minute
        kept = [each for each in sessions if len(each) >= least][-most:]
        for place, session in enumerate(kept):
            expected[row, place, : len(session[-steps:])] = session[-steps:]
    assert split_by(positions, of_gaps(times, gap), most, steps, least).tolist() == expected.tolist()


def test_entries_that_are_sessions_by_themselves_are_moved_together() -> None:
    enough = np.array([True, False, True, True])
    positions = np.array([[0, GAP, 1, 2], [GAP, 3, GAP, GAP], [GAP, GAP, 1, GAP]])
    assert last_of(positions, enough, 2).tolist() == [[0, 2], [3, GAP], [GAP, GAP]]
    assert last_of(positions, enough, 1).tolist() == [[2], [3], [GAP]]
    assert last_of(positions[:0], enough[:0], 2).shape == (0, 2)
