from __future__ import annotations

import numpy as np
import pytest

from pipeline.features.ids.fingerprints import MISSING, PADDING
from pipeline.features.state.counters import CounterTable, decay
from tests.unit.pipeline.features.counted import MONDAY, counted


@pytest.fixture
def table() -> CounterTable:
    return counted()


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
