from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.engine.growth import first_table, grow_slot, grow_table
from models.tables import TableSpec

TEACHER = TableSpec("teacher", "teacher", 3, ("teacher",))
TABLE = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]], np.float32)


def test_new_rows_copy_the_unknown_row_and_old_ones_stay() -> None:
    assert grow_table(TABLE, 5).tolist() == [[0, 0], [1, 2], [3, 4], [1, 2], [1, 2]]


def test_new_slots_are_zero() -> None:
    assert grow_slot(TABLE, 4).tolist() == [[0, 0], [1, 2], [3, 4], [0, 0]]


def test_new_slots_start_as_the_optimiser_says_and_padding_has_none() -> None:
    assert grow_slot(TABLE, 4, 0.5).tolist() == [[0, 0], [1, 2], [3, 4], [0.5, 0.5]]
    assert grow_slot(TABLE[:0], 3, 0.5).tolist() == [[0, 0], [0.5, 0.5], [0.5, 0.5]]


def test_the_old_arrays_are_not_touched() -> None:
    grown = grow_table(TABLE, 3)
    grown[2] = 9.0
    assert TABLE[2].tolist() == [3.0, 4.0]


def test_a_table_cannot_shrink() -> None:
    with pytest.raises(ValueError, match="cannot shrink to 2"):
        grow_table(TABLE, 2)


def test_every_row_of_a_first_table_is_the_unknown_row_and_each_table_has_its_own() -> None:
    table = first_table(TEACHER, 4, seed=1)
    assert not table[0].any()
    assert np.all(table[1:] == table[1])
    assert 0 < np.abs(table[1]).max() <= 0.05
    np.testing.assert_array_equal(first_table(TEACHER, 9, seed=1)[:4], table)
    assert not np.array_equal(first_table(replace(TEACHER, name="chapter"), 4, seed=1), table)
    assert not np.array_equal(first_table(TEACHER, 4, seed=2), table)


def test_a_first_table_of_zeros_knows_nothing() -> None:
    assert first_table(replace(TEACHER, first="zeros"), 3, seed=1).tolist() == [[0.0] * 3] * 3
