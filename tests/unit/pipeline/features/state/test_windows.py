from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.state.windows import GAP, chosen, fill, window_positions

DAY = Day.of(2024, 3, 2)


def days(*texts: str) -> np.ndarray:
    return np.array([Day.parse(text).ordinal for text in texts], np.int32)


# Owner 0: 26 and 29 February, 1 and 2 March; owner 1: nothing; owner 2: 20 February.
OFFSETS = np.array([0, 4, 4, 5])
DAYS = days("2024-02-26", "2024-02-29", "2024-03-01", "2024-03-02", "2024-02-20")
ENTRIES = Lists.of([[26], [29, 30], [1], [2], [20]], np.int32)


def test_calendar_slots_are_days_and_a_day_without_homework_is_a_gap() -> None:
    positions = window_positions(OFFSETS, DAYS, np.array([0, 1, 2, 0]), DAY, length=4)
    # Slots: 27 February, 28, 29, 1 March.
    assert positions.tolist() == [[GAP, GAP, 1, 2], [GAP] * 4, [GAP] * 4, [GAP, GAP, 1, 2]]
    wider = window_positions(OFFSETS, DAYS, np.array([0, 2]), DAY, length=4, lead=7)
    assert wider.tolist() == [[GAP] * 6 + [0, GAP, GAP, 1, 2], [4] + [GAP] * 10]


def test_active_days_are_the_last_entries_whenever_they_were() -> None:
    positions = window_positions(OFFSETS, DAYS, np.array([0, 1, 2]), DAY, length=2, mode="active")
    assert positions.tolist() == [[1, 2], [GAP, GAP], [4, GAP]]


def test_of_a_window_the_last_that_fit_are_chosen() -> None:
    positions = np.array([[0, 1, 2, 3], [4, GAP, GAP, GAP], [GAP, GAP, GAP, GAP]])
    fits = np.array([True, False, True, True, False])
    assert chosen(positions, fits, 2).tolist() == [[2, 3], [GAP, GAP], [GAP, GAP]]
    assert chosen(positions, fits, 6).tolist() == [[0, 2, 3, GAP, GAP, GAP], [GAP] * 6, [GAP] * 6]
    assert chosen(np.full((2, 3), GAP), np.zeros(0, bool), 2).tolist() == [[GAP, GAP]] * 2


def test_fill_takes_indices_and_raw_ids_alike() -> None:
    positions = window_positions(OFFSETS, DAYS, np.array([0]), DAY, length=3)
    assert fill(ENTRIES, positions, 2, 0).tolist() == [[[0, 0], [29, 30], [1, 0]]]
    assert fill(ENTRIES, positions, 1, 0).tolist() == [[[0], [29], [1]]]
    raw = Lists.of([["a"], ["b", "c"], ["d"], ["e"], ["f"]], object)
    assert fill(raw, positions, 2, "").tolist() == [[["", ""], ["b", "c"], ["d", ""]]]
    nothing = Lists.of([], np.int32)
    assert fill(nothing, np.array([[GAP, GAP]]), 1, 0).tolist() == [[[0], [0]]]


def test_a_sequence_is_oldest_first_and_padded_on_the_right() -> None:
    positions = window_positions(OFFSETS, DAYS, np.array([0, 2]), DAY, length=5, mode="active")
    assert fill(ENTRIES, positions, 1, 0)[..., 0].tolist() == [[26, 29, 1, 0, 0], [20, 0, 0, 0, 0]]


owner_days = st.lists(st.lists(st.integers(700, 740), unique=True, max_size=12).map(sorted), min_size=1, max_size=5)


@given(owner_days, st.integers(705, 745), st.integers(1, 9), st.integers(0, 4), st.sampled_from(["calendar", "active"]))
def test_no_window_holds_a_day_from_the_day_on(
    owners: list[list[int]], day: int, length: int, lead: int, mode: str
) -> None:
    offsets = np.cumsum([0, *map(len, owners)])
    flat = np.array([each for owner in owners for each in owner], np.int32)
    rows = np.arange(len(owners))
    kind = "calendar" if mode == "calendar" else "active"
    positions = window_positions(offsets, flat, rows, Day(day), length=length, lead=lead, mode=kind)
    slots = lead + length
    for row, owner in enumerate(owners):
        earlier = [each for each in owner if each < day]
        found = [flat[at] if at != GAP else None for at in positions[row]]
        if mode == "active":
            assert found == earlier[-slots:] + [None] * (slots - len(earlier[-slots:]))
        else:
            assert found == [each if each in earlier else None for each in range(day - slots, day)]
