"""One 64-bit number a raw id, whatever its space: what the feature state is keyed by and keeps in its lists.

The code of a whole number is the number itself; that of a text is a fingerprint of it. So a state says the same
whatever indices the ids were given, and is read without the id maps. Two texts of one code (a chance of 3 in 10⁸ among
a million ids, of 3 in 100 among 10⁹) are found when they are mapped, and refused.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.schema import MISSING_INT, MISSING_STR, PAD_INT, PAD_STR
from pipeline.errors import DataError
from pipeline.features.frames.texts import Texts

PADDING: Final = PAD_INT
MISSING: Final = MISSING_INT
Codes = NDArray[np.int64]
_KEY = "dayspring ids v1"
_WORD = 2**64 - 1
_MIXED_WITH = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_STEP, *_FACTORS = (np.uint64(each) for each in _MIXED_WITH)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)


def codes_of(raw: NDArray[Any]) -> Codes:
    """The codes of canonical raw ids (int64, or text as objects), of the same shape."""
    if raw.dtype.kind == "i":
        return raw.astype(np.int64, copy=False)
    texts = raw if isinstance(raw, Texts) else Texts.of(raw.ravel()).reshape(raw.shape)
    return texts.each(_text_codes)


def _text_codes(distinct: NDArray[Any]) -> Codes:
    import pandas as pd

    if not len(distinct):
        return np.zeros(0, np.int64)
    codes = pd.util.hash_array(distinct, hash_key=_KEY, categorize=False).view(np.int64)
    codes[np.asarray(distinct == PAD_STR, bool)] = PADDING
    codes[np.asarray(distinct == MISSING_STR, bool)] = MISSING
    return codes


def check_distinct(space: str, raw: NDArray[Any], codes: Codes) -> None:
    """Whether some distinct raw ids have distinct codes; ``codes`` are theirs.

    Raises:
        DataError: names two ids that the state could not tell apart, or one that it would read as missing.
    """
    reserved = np.flatnonzero((codes == PADDING) | (codes == MISSING))
    if len(reserved):
        raise DataError(
            f"id space '{space}': the id {raw[reserved[0]]!r} has the code that stands for no id; give it another "
            "spelling in the source's query"
        )
    order = np.argsort(codes, kind="stable")
    same = np.flatnonzero(codes[order][1:] == codes[order][:-1])
    if len(same):
        first, second = raw[order[same[0]]], raw[order[same[0] + 1]]
        raise DataError(
            f"id space '{space}': the ids {first!r} and {second!r} have one code, so that what is counted of one would "
            "be counted of the other; give one of them another spelling in the source's query"
        )


def key_of(*codes: Codes) -> Codes:
    """One number for the ids that are a key together; of a single id its code. The codes' shapes broadcast together."""
    if len(codes) == 1:
        return np.asarray(codes[0], np.int64)
    if all(each.size == 1 for each in codes):
        shape = np.broadcast_shapes(*(each.shape for each in codes))
        return np.full(shape, _key_of_one([each.item() for each in codes]), np.uint64).view(np.int64)
    mixed = np.full((), _STEP)
    with np.errstate(over="ignore"):
        for each in codes:
            mixed = _scramble(mixed ^ _scramble(np.asarray(each, np.int64).view(np.uint64)))
    return np.asarray(mixed).view(np.int64)


def are_known(*codes: Codes) -> NDArray[np.bool_]:
    """Whether every id of a key is one: missing ids and padding are nobody's key."""
    known = np.ones((), np.bool_)
    for each in codes:
        known = known & (each != MISSING) & (each != PADDING)
    return np.asarray(known)


def _scramble(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64, a bijection of 64-bit words."""
    words = words + _STEP
    words = (words ^ (words >> _SHIFTS[0])) * _FACTORS[0]
    words = (words ^ (words >> _SHIFTS[1])) * _FACTORS[1]
    return words ^ (words >> _SHIFTS[2])


def _key_of_one(codes: list[int]) -> int:
    """``key_of`` of single codes in Python's own numbers: a twentieth of what arrays of one take."""
    mixed = _MIXED_WITH[0]
    for each in codes:
        mixed = _scramble_one(mixed ^ _scramble_one(each & _WORD))
    return mixed


def _scramble_one(word: int) -> int:
    step, first, second = _MIXED_WITH
    word = (word + step) & _WORD
    word = ((word ^ (word >> 30)) * first) & _WORD
    word = ((word ^ (word >> 27)) * second) & _WORD
    return word ^ (word >> 31)
