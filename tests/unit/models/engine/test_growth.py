from __future__ import annotations

import numpy as np
import pytest

from models.engine.growth import first_table, grow_slot, grow_table

TABLE = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]], np.float32)


def test_new_rows_copy_the_unknown_row_and_old_ones_stay() -> None:
    assert grow_table(TABLE, 5).tolist() == [[0, 0], [1, 2], [3, 4], [1, 2], [1, 2]]


def test_new_slots_are_zero() -> None:
    assert grow_slot(TABLE, 4).tolist() == [[0, 0], [1, 2], [3, 4], [0, 0]]


def test_the_old_arrays_are_not_touched() -> None:
    grown = grow_table(TABLE, 3)
    grown[2] = 9.0
    assert TABLE[2].tolist() == [3.0, 4.0]


def test_a_table_cannot_shrink() -> None:
    with pytest.raises(ValueError, match="cannot shrink to 2"):
        grow_table(TABLE, 2)


def test_every_row_of_a_first_table_is_the_unknown_row_and_each_space_has_its_own() -> None:
    table = first_table("teacher", 4, 3, seed=1)
    assert not table[0].any()
    assert np.all(table[1:] == table[1])
    assert 0 < np.abs(table[1]).max() <= 0.05
    np.testing.assert_array_equal(first_table("teacher", 9, 3, seed=1)[:4], table)
    assert not np.array_equal(first_table("chapter", 4, 3, seed=1), table)
    assert not np.array_equal(first_table("teacher", 4, 3, seed=2), table)
