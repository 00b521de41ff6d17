from __future__ import annotations

import numpy as np
import pytest

from models.id_columns import IdColumns, type_of_ids

IDS = IdColumns(3, {
    1: np.array([[2, 3], [4, 5], [65_535, 0]], np.uint16), 0: np.array([[255], [1], [0]], np.uint8),
    3: np.array([[7, 0]], np.uint8),
})  # fmt: skip
MATRIX = [[255, 2, 3, 7, 0], [1, 4, 5, 7, 0], [0, 65_535, 0, 7, 0]]


def test_the_parts_are_one_matrix_of_int32() -> None:
    assert (IDS.shape, len(IDS), IDS.ndim, IDS.dtype) == ((3, 5), 3, 2, np.int32)
    whole = np.asarray(IDS)
    assert (whole.dtype, whole.tolist()) == (np.int32, MATRIX)
    assert np.array(IDS[np.array([2, 0])]).tolist() == [MATRIX[2], MATRIX[0]]
    assert IDS[1].tolist() == MATRIX[1]
    assert np.asarray(IdColumns(2, {})).shape == (2, 0)


def test_the_columns_of_a_feature_are_as_they_are_held() -> None:
    assert (IDS[:, 1:3].dtype, IDS[:, 1:3].tolist()) == (np.uint16, [[2, 3], [4, 5], [65_535, 0]])
    assert IDS[:, 2:3].tolist() == [[3], [5], [0]]
    assert IDS[np.array([2, 0]), 0:1].tolist() == [[0], [255]]
    assert IDS[np.array([2, 0]), :0].shape == (2, 0)


def test_a_part_of_one_row_stands_for_all() -> None:
    assert IDS[:, 3:5].tolist() == [[7, 0]] * 3


def test_columns_across_features_are_refused() -> None:
    with pytest.raises(IndexError, match="0:2 are not of one feature"):
        IDS[:, 0:2]


@pytest.mark.parametrize(("size", "kind"), [(2, "u1"), (256, "u1"), (257, "u2"), (65_536, "u2"), (65_537, "i4")])
def test_indices_are_as_narrow_as_their_map(size: int, kind: str) -> None:
    assert type_of_ids(size) == np.dtype(kind)
