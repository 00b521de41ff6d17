from __future__ import annotations

import numpy as np
import pytest

from pipeline.days import Day
from pipeline.features.ids.fingerprints import MISSING, PADDING
from pipeline.features.state.counters import Cells, CounterTable, decay

MONDAY = Day.of(2024, 2, 26)
TODAY = Day.of(2024, 3, 4)  # a week later, a leap day between


@pytest.fixture
def table() -> CounterTable:
    """Key 5: three events a week ago (two positive), one the day before (negative). Key 6: one positive a week ago."""
    empty = CounterTable.empty(1, (2.0, 7.0))
    first = empty.apply((np.array([6, 5, 5, 5, MISSING, PADDING]),), np.int8([1, 1, 0, 1, 1, 1]), MONDAY)
    return first.apply((np.array([5]),), np.int8([0]), TODAY.previous())


OVERALL = Cells.absent((), (2.0, 7.0)).counted(np.array(10), np.array(4), MONDAY)


def test_padding_and_unknown_ids_are_never_counted(table: CounterTable) -> None:
    assert len(table) == 2
    assert table.lookup(np.array([[PADDING, MISSING], [2**40, 5]])).count.tolist() == [[0, 0], [0, 4]]
    codes = (np.array([5, MISSING]), np.array([MISSING, 5]))
    pairs = CounterTable.empty(2, ()).apply(codes, np.int8([1, 1]), MONDAY)
    assert len(pairs) == 0


def test_a_table_handed_out_never_changes() -> None:
    first = CounterTable.empty(1, ()).apply((np.array([5]),), np.int8([1]), MONDAY)
    second = first.apply((np.array([5, 6]),), np.int8([1, 1]), MONDAY.next())
    assert first.lookup(np.array([5, 6])).count.tolist() == [1, 0]
    assert second.lookup(np.array([5, 6])).count.tolist() == [2, 1]


def test_decay_has_the_same_bits_wherever_a_value_stands() -> None:
    elapsed = np.arange(5000)
    whole = decay(14.0, elapsed)
    assert all(decay(14.0, elapsed[k : k + 1])[0] == whole[k] for k in range(0, 5000, 37))
    assert whole[28] == 0.25
