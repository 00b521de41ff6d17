from __future__ import annotations

import numpy as np
import pytest

from models.engine.state import StateMismatch, check_state, expected_shapes, of_table
from models.tables import TableSpec

AD = TableSpec("ad", "ad", 2, ("ad",))
EXPECTED = expected_shapes([AD], {"dense/bias": (3,)})


def stored(rows: int = 5) -> dict[str, np.ndarray]:
    tables = {name: np.zeros((rows, 2), np.float32) for name in of_table("ad").values()}
    return {"step": np.asarray(4), "dense/bias": np.zeros(3, np.float32), **tables}


def test_a_table_has_a_tensor_and_a_slot_for_each_of_adams_moments() -> None:
    assert of_table("ad") == {"w": "table/ad", "m": "slot/ad/m", "v": "slot/ad/v"}
    assert EXPECTED == {
        "step": (), "table/ad": (None, 2), "slot/ad/m": (None, 2), "slot/ad/v": (None, 2), "dense/bias": (3,)
    }  # fmt: skip


def test_the_size_of_a_space_is_that_of_its_table() -> None:
    assert check_state(stored(5), EXPECTED, [AD]) == {"ad": 5}


def test_slots_of_another_size_than_their_table_are_refused() -> None:
    with pytest.raises(StateMismatch, match=r"'slot/ad/v': expected \[5, 2\], found \[4, 2\]"):
        check_state(stored() | {"slot/ad/v": np.zeros((4, 2), np.float32)}, EXPECTED, [AD])


def test_two_tables_of_a_space_have_its_size_both() -> None:
    wide, narrow = AD, TableSpec("linear.ad", "ad", 1, ("ad",), "linear")
    expected = expected_shapes([wide, narrow], {"dense/bias": (3,)})
    linear = {name: np.zeros((5, 1), np.float32) for name in of_table("linear.ad").values()}
    assert check_state(stored(5) | linear, expected, [wide, narrow]) == {"ad": 5}
    with pytest.raises(StateMismatch, match=r"'table/linear.ad': expected \[6, 1\], found \[5, 1\]"):
        check_state(stored(6) | linear, expected, [wide, narrow])
