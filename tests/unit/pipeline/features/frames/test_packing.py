from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DataError
from pipeline.features.frames.packing import fingerprint, is_known, pack, unpack

BITS = {1: 31, 2: 31, 3: 21}


@given(st.integers(1, 3).flatmap(lambda n: st.lists(st.tuples(*[st.integers(0, 2 ** BITS[n] - 1)] * n), min_size=1)))
def test_unpack_gives_back_what_was_packed_and_order_is_that_of_the_first_index(rows: list[tuple[int, ...]]) -> None:
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    packed = pack(*columns)
    assert [tuple(row) for row in zip(*unpack(packed, len(columns)), strict=True)] == rows
    assert [rows[i] for i in np.argsort(packed, kind="stable")] == sorted(rows)


def test_the_packed_number() -> None:
    assert pack(np.array([3]), np.array([5])).tolist() == [3 * 2**31 + 5]
    assert pack(np.int32([3]), np.int32([5]), np.int32([7])).tolist() == [(3 * 2**21 + 5) * 2**21 + 7]


def test_an_index_too_large_names_its_feature() -> None:
    with pytest.raises(DataError, match=r"feature 'package': index 2097152 .* 0 … 2097151"):
        pack(np.array([2]), np.array([2]), np.array([2, 2**21]), names=("teacher", "class", "package"))
    with pytest.raises(DataError, match="feature 'teacher': index -1"):
        pack(np.array([-1]), np.array([2]), names=("teacher", "class"))


def test_padding_and_unknown_are_nobodys_key() -> None:
    keys = pack(np.array([2, 1, 2, 0]), np.array([2, 2, 1, 0]))
    assert is_known(keys, 2).tolist() == [True, False, False, False]


def test_fingerprints_tell_rows_apart_and_keep_equal_rows_equal() -> None:
    first, second = np.meshgrid(np.arange(300), np.arange(300))
    keys = fingerprint(first.ravel(), second.ravel())
    assert len(np.unique(keys)) == 90_000
    assert fingerprint(np.int32([7]), np.int32([9])).tolist() == fingerprint(np.int64([7]), np.int64([9])).tolist()
    assert fingerprint(np.array([7]), np.array([9])) != fingerprint(np.array([9]), np.array([7]))
