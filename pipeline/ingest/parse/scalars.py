"""Whole numbers, floats and text in whatever plain type they come."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from models.schema import MISSING_STR
from pipeline.errors import DataError
from pipeline.ingest import canonical_ids
from pipeline.ingest.parse.parsed import Parsed, mask_of
from pipeline.storage.physical_types import time_texts

_NUMBER = r"(?i)^[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|inf(inity)?|nan(\([0-9a-z_]*\))?)$"
"""What Arrow reads as a float: a value is read alike whatever stands beside it in its column."""


def ints(array: pa.Array) -> Parsed:
    """Whole numbers of 64 bits."""
    if pa.types.is_temporal(array.type):
        raise DataError(f"is of type {array.type}, where int is declared; declare it `day` or `time`")
    found = canonical_ids.canonical_ids(array, "int")
    parsed = _of_ids(found, pa.int64())
    # The two smallest numbers stand for "missing" elsewhere.
    smallest = mask_of(array.is_valid()) & (found.reasons == 1) & pa.types.is_integer(array.type)
    parsed.fail(smallest, canonical_ids.REASONS[3])
    return parsed


def texts(array: pa.Array) -> Parsed:
    """Text without white space around it, in Unicode's NFC; numbers and times as their text."""
    if pa.types.is_timestamp(array.type):
        array = time_texts(array)
    elif pa.types.is_temporal(array.type) or pa.types.is_integer(array.type):
        array = array.cast(pa.string())
    if not pa.types.is_string(array.type):
        return _of_ids(canonical_ids.canonical_ids(array, "str"), pa.string())
    values = pc.utf8_trim_whitespace(array)
    if not pc.all(pc.string_is_ascii(values), min_count=0).as_py():
        values = pc.utf8_normalize(values, form="NFC")
    parsed = Parsed.of(pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values))
    parsed.fail(mask_of(pc.is_in(values, pa.array([MISSING_STR]))), "not text")
    return parsed


def floats(array: pa.Array) -> Parsed:
    """Finite numbers; what is no number at all is missing."""
    if pa.types.is_temporal(array.type):
        raise DataError(f"is of type {array.type}, where float is declared; declare it `day` or `time`")
    good = pa.scalar(True)
    if pa.types.is_string(array.type):
        written = texts(array).values
        try:
            values = written.cast(pa.float64())
        except pa.ArrowInvalid:
            good = pc.match_substring_regex(written, _NUMBER)
            values = pc.if_else(good, written, pa.scalar(None, pa.string())).cast(pa.float64())
    else:
        values = array.cast(pa.float64(), safe=False)
    parsed = Parsed.of(pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values))
    if isinstance(good, pa.Array):
        parsed.fail(mask_of(pc.invert(good)), "not a number")
    parsed.fail(mask_of(pc.is_inf(values)), "not a finite number")
    return parsed


def _of_ids(found: canonical_ids.CanonicalIds, kind: pa.DataType) -> Parsed:
    parsed = Parsed.of(pa.array(found.values, kind, mask=~found.valid))
    for code, text in enumerate(canonical_ids.REASONS):
        if text not in ("", "missing"):
            parsed.fail(found.reasons == code, text)
    return parsed
