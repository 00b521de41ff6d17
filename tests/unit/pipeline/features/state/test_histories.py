from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import MISSING, Codes
from pipeline.features.state.events import HistoryRows
from pipeline.features.state.histories import Entries, HistoryRule, HistoryTable, merged_values

DAY = Day.of(2024, 3, 1)
CALENDAR = HistoryRule(arity=2, parts=("chapters",), keep=6, mode="calendar", values=3, merge=True)
CLICKS = HistoryRule(arity=1, parts=("items", "kinds"), keep=3, mode="active", values=1, merge=False)
ANNA, BEN, UNKNOWN, NOBODY = (5, 9), (4, 9), (MISSING, 9), (123, 45)


def owners(*each: tuple[int, int]) -> tuple[Codes, Codes]:
    return np.array([teacher for teacher, _ in each]), np.array([class_ for _, class_ in each])


def homework(*rows: tuple[tuple[int, int], list[int]]) -> HistoryRows:
    lists = Lists.of([values for _, values in rows], np.int64)
    return HistoryRows(owners(*(owner for owner, _ in rows)), {"chapters": lists})


def clicks(*rows: tuple[int, int, list[int]]) -> HistoryRows:
    parts = {"items": Lists.of([[item] for _, item, _ in rows], np.int64)}
    parts["kinds"] = Lists.of([kinds for *_, kinds in rows], np.int64)
    return HistoryRows((np.array([user for user, *_ in rows]),), parts)


def of(entries: Entries, request: int, part: str) -> list[tuple[int, list[int]]]:
    first, last = entries.offsets[entries.rows[request] : entries.rows[request] + 2]
    lists = entries.parts[part]
    return [
        (int(entries.days[at]), lists.values[lists.offsets[at] : lists.offsets[at + 1]].tolist())
        for at in range(first, last)
    ]


def test_a_days_homework_is_merged_per_owner_in_order_of_appearance() -> None:
    table = HistoryTable.empty(CALENDAR).apply(homework((ANNA, [8, 3]), (BEN, []), (ANNA, [3, 7, 2])), DAY)
    entries = table.entries(owners(BEN, ANNA, NOBODY, ANNA))
    assert of(entries, 1, "chapters") == of(entries, 3, "chapters") == [(DAY.ordinal, [8, 3, 7])]
    assert of(entries, 0, "chapters") == [(DAY.ordinal, [])]
    assert of(entries, 2, "chapters") == []


def test_calendar_histories_keep_what_a_later_window_can_reach() -> None:
    table = HistoryTable.empty(CALENDAR)
    for back in (9, 6, 5, 0):
        table = table.apply(homework((ANNA, [back + 2])), DAY.plus(-back))
    # A window of the next day reaches six days back: to DAY − 5.
    assert [day - DAY.ordinal for day, _ in of(table.entries(owners(ANNA)), 0, "chapters")] == [-5, 0]


def test_what_is_out_of_reach_is_left_out_of_what_is_stored() -> None:
    table = HistoryTable.empty(CALENDAR).apply(homework((ANNA, [3]), (BEN, [4])), DAY)
    table = table.apply(homework((BEN, [5])), DAY.plus(7))
    assert len(table.kept(DAY.plus(7)).keys) == 1
    found, entries = table.all(DAY.plus(7))
    assert ([each.tolist() for each in found], of(entries, 0, "chapters")) == ([[4], [9]], [(DAY.ordinal + 7, [5])])


def test_active_histories_keep_the_last_entries() -> None:
    table = HistoryTable.empty(replace(CALENDAR, mode="active", keep=2))
    for back in (400, 300, 0):
        table = table.apply(homework((ANNA, [2])), DAY.plus(-back))
    assert [day - DAY.ordinal for day, _ in of(table.entries(owners(ANNA)), 0, "chapters")] == [-300, 0]


def test_clicks_of_one_day_are_all_kept_in_order() -> None:
    table = HistoryTable.empty(CLICKS)
    table = table.apply(clicks((7, 20, [2]), (6, 30, [3]), (7, 21, [2, 4])), DAY)
    table = table.apply(clicks((7, 20, []), (MISSING, 40, [5])), DAY.next())
    entries = table.entries((np.array([7, 6, MISSING]),))
    assert of(entries, 0, "items") == [(DAY.ordinal, [20]), (DAY.ordinal, [21]), (DAY.ordinal + 1, [20])]
    assert of(entries, 0, "kinds") == [(DAY.ordinal, [2]), (DAY.ordinal, [2, 4]), (DAY.ordinal + 1, [])]
    assert of(entries, 1, "items") == [(DAY.ordinal, [30])]
    assert of(entries, 2, "items") == []  # the unknown user is nobody
    table = table.apply(clicks((7, 22, [6])), DAY.plus(2))
    assert [item for _, item in of(table.entries((np.array([7]),)), 0, "items")] == [[21], [20], [22]]


def test_owners_with_an_unknown_id_have_no_history() -> None:
    table = HistoryTable.empty(CALENDAR).apply(homework((UNKNOWN, [3])), DAY)
    assert of(table.entries(owners(UNKNOWN)), 0, "chapters") == []


@given(st.lists(st.tuples(st.integers(0, 3), st.lists(st.integers(2, 6), max_size=5)), max_size=10), st.integers(1, 4))
def test_merging_is_that_of_ordered_dictionaries(rows: list[tuple[int, list[int]]], most: int) -> None:
    rows.sort(key=lambda row: row[0])
    lists = Lists.of([values for _, values in rows], np.int32)
    merged = merged_values(lists, np.array([group for group, _ in rows], np.int64), 4, most)
    for group in range(4):
        values = [value for of_group, values in rows if of_group == group for value in values]
        assert merged.take(np.array([group])).values.tolist() == list(dict.fromkeys(values))[:most]
