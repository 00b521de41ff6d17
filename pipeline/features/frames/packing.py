"""Keys of up to three indices packed into one int64, which sorts and searches as one number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import FIRST
from pipeline.errors import DataError

_BITS = {1: 63, 2: 31, 3: 21}


def pack(*indices: NDArray[np.integer[Any]], names: tuple[str, ...] = ()) -> NDArray[np.int64]:
    """One int64 a key: one index as it is, two of 31 bits each, three of 21 bits each.

    Args:
        indices: one to three integer arrays of shapes that broadcast together.
        names: of the features, for the error.

    Raises:
        DataError: an index is negative or needs more bits than its key has for it.
    """
    bits = _BITS[len(indices)]
    packed: NDArray[np.int64] = np.zeros((), np.int64)
    for position, each in enumerate(indices):
        array = np.asarray(each, np.int64)
        if array.size and (int(array.min()) < 0 or int(array.max()) >> bits):
            name = names[position] if position < len(names) else f"number {position + 1}"
            wrong = int(array.min()) if int(array.min()) < 0 else int(array.max())
            raise DataError(
                f"feature '{name}': index {wrong} does not fit a key of {len(indices)} features, whose indices are "
                f"0 … {2**bits - 1}; use a key of fewer features"
            )
        packed = (packed << bits) | array if position else array
    return packed


def unpack(keys: NDArray[np.int64], arity: int) -> tuple[NDArray[np.int64], ...]:
    """The indices that ``pack`` made the keys of, one array an index."""
    bits = _BITS[arity]
    mask = np.int64((1 << bits) - 1)
    return tuple((keys >> np.int64(bits * (arity - 1 - position))) & mask for position in range(arity))


def is_known(keys: NDArray[np.int64], arity: int) -> NDArray[np.bool_]:
    """Whether every index of a key is a real id: padding and unknown ids are nobody's key."""
    known = np.ones(keys.shape, np.bool_)
    for index in unpack(keys, arity):
        known &= index >= FIRST
    return known


def fingerprint(*columns: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """One int64 for any number of indices: equal rows are equal, others differ but for 1 chance in 2⁶⁴ a pair.

    For keys that are only compared, such as the columns that similar classes share. The columns are 1-D, of one length.
    """
    mixed = np.full(len(columns[0]), 0x9E3779B97F4A7C15, np.uint64)
    for column in columns:
        mixed = _scramble(mixed ^ _scramble(np.asarray(column).astype(np.int64).view(np.uint64)))
    return mixed.view(np.int64)


def _scramble(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64, a bijection of 64-bit words."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
