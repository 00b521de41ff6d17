from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.id_columns import IdColumns
from pipeline.features.arrays.packed import packed, unpacked
from pipeline.features.frames.frame import Array


def there_and_back(**arrays: Array) -> tuple[dict[str, Array], dict[str, Array]]:
    stored, told = packed(arrays)
    return stored, unpacked(stored, json.loads(json.dumps(told)))


@pytest.mark.parametrize(
    ("name", "values", "kind", "rows"),
    [
        ("pair_item", np.array([0, 255], np.int32), "u1", 2),
        ("key.x", np.array([-1, 200, 0], np.int64), "i2", 3),
        ("key.x", np.array([-(2**63), 3, 0], np.int64), "i8", 3),
        ("label", np.array([1, -1], np.int8), "i1", 2),
        ("weight", np.ones(5, np.float32), "f4", 1),
        ("weight", np.array([0.0, -0.0], np.float32), "f4", 2),
        ("empty_days", np.zeros(4, np.int16), "u1", 1),
        ("group.known", np.array([True] * 3), "?", 1),
        ("offsets", np.array([0, 1, 2, 3], np.int64), "u1", 1),
        ("offsets", np.array([0, 300, 300], np.int64), "u2", 2),
        ("offsets", np.array([0], np.int64), "i8", 0),
        ("request_dense", np.zeros((2, 3), np.float32), "f4", 2),
    ],
)
def test_an_array_is_stored_narrow_and_comes_back_bit_for_bit(name: str, values: Array, kind: str, rows: int) -> None:
    stored, found = there_and_back(**{name: values})
    assert (stored[name].dtype, len(stored[name])) == (np.dtype(kind), rows)
    assert (found[name].dtype, found[name].shape) == (values.dtype, values.shape)
    assert found[name].tobytes() == values.tobytes()


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_any_whole_numbers_come_back(values: list[int]) -> None:
    array = np.array(values, np.int64)
    assert there_and_back(key=array)[1]["key"].tolist() == values


def test_ids_that_are_the_same_in_all_rows_and_users_that_are_a_feature_are_not_stored_again() -> None:
    ids = IdColumns(3, {0: np.array([[4], [5], [4]], np.uint8), 1: np.zeros((3, 20), np.uint16)})
    user: Any = np.array([4, 5, 4], np.int32)
    stored, found = there_and_back(request_ids=ids, user=user)
    assert {name: array.shape for name, array in stored.items()} == {"request_ids/0": (3, 1), "request_ids/1": (1, 20)}
    assert np.asarray(found["request_ids"]).tolist() == np.asarray(ids).tolist()
    assert (found["user"].dtype, found["user"].tolist()) == (np.int32, [4, 5, 4])


def test_users_that_are_no_feature_are_stored() -> None:
    ids = IdColumns(2, {0: np.array([[4], [6]], np.uint8)})
    stored, found = there_and_back(request_ids=ids, user=np.array([4, 5], np.int32))
    assert (stored["user"].dtype, found["user"].tolist()) == (np.uint8, [4, 5])


def test_text_and_arrays_of_an_earlier_version_are_as_they_were() -> None:
    text = np.array(["b", "a"], object)
    assert there_and_back(text=text)[1]["text"].tolist() == ["b", "a"]
    assert unpacked({"user": np.array([3, 3], np.int32)}, {})["user"].tolist() == [3, 3]
