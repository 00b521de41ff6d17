from __future__ import annotations

import numpy as np
import pytest

from models.engine.state import StateMismatch, check_state, expected_shapes, of_table
from models.tables import TableSpec

AD = TableSpec("ad", "ad", 2, ("ad",))
ADAM = ("m", "v")
SLOTS = {name: dict.fromkeys(ADAM, 0.0) for name in ("ad", "linear.ad")}
EXPECTED = expected_shapes([AD], SLOTS, {"dense/bias": (3,)})


def stored(rows: int = 5) -> dict[str, np.ndarray]:
    tables = {name: np.zeros((rows, 2), np.float32) for name in of_table("ad", ADAM).values()}
    return {"step": np.asarray(4), "dense/bias": np.zeros(3, np.float32), **tables}


def test_a_table_has_a_tensor_and_one_for_each_slot_of_its_optimiser() -> None:
    assert of_table("ad", ADAM) == {"w": "table/ad", "m": "slot/ad/m", "v": "slot/ad/v"}
    assert of_table("ad", ()) == {"w": "table/ad"}
    assert EXPECTED == {
        "step": (), "table/ad": (None, 2), "slot/ad/m": (None, 2), "slot/ad/v": (None, 2), "dense/bias": (3,)
    }  # fmt: skip


def test_the_size_of_a_space_is_that_of_its_table() -> None:
    assert check_state(stored(5), EXPECTED, [AD], SLOTS) == {"ad": 5}


def test_slots_of_another_size_than_their_table_are_refused() -> None:
    with pytest.raises(StateMismatch, match=r"'slot/ad/v': expected \[5, 2\], found \[4, 2\]"):
        check_state(stored() | {"slot/ad/v": np.zeros((4, 2), np.float32)}, EXPECTED, [AD], SLOTS)


def test_two_tables_of_a_space_have_its_size_both() -> None:
    wide, narrow = AD, TableSpec("linear.ad", "ad", 1, ("ad",), "linear")
    expected = expected_shapes([wide, narrow], SLOTS, {"dense/bias": (3,)})
    linear = {name: np.zeros((5, 1), np.float32) for name in of_table("linear.ad", ADAM).values()}
    assert check_state(stored(5) | linear, expected, [wide, narrow], SLOTS) == {"ad": 5}
    with pytest.raises(StateMismatch, match=r"'table/linear.ad': expected \[6, 1\], found \[5, 1\]"):
        check_state(stored(6) | linear, expected, [wide, narrow], SLOTS)


def test_slots_of_another_optimiser_are_refused() -> None:
    adagrad = {"ad": {"accumulator": 0.1}}
    expected = expected_shapes([AD], adagrad, {"dense/bias": (3,)})
    with pytest.raises(StateMismatch, match=r"'slot/ad/accumulator': expected \[any, 2\], found none"):
        check_state(stored(), expected, [AD], adagrad)
