"""MySQL's values as Arrow columns, nothing lost: the server's own text of each value, typed by the column's kind.

Whole numbers are int64, and uint64 in a chunk with a value beyond it; FLOAT and DOUBLE are float64; BIT is a number.
All else is text as the server writes it: a DECIMAL with all its digits but the zeros that only show its scale,
``0000-00-00`` where a date is zero, ISO dates and times, JSON. A TIMESTAMP is an instant and ends with a ``Z``; a
DATETIME is wall-clock time. A text or binary value that is not UTF-8 keeps its good bytes; each other one is written
``\\xNN``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pymysql.constants import FIELD_TYPE
from pymysql.converters import conversions

from pipeline.storage.physical_types import decimal_texts

INTEGERS = frozenset(
    {FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG, FIELD_TYPE.YEAR}
)
TEXTS = frozenset(
    {FIELD_TYPE.VARCHAR, FIELD_TYPE.VAR_STRING, FIELD_TYPE.STRING, FIELD_TYPE.BLOB, FIELD_TYPE.TINY_BLOB,
     FIELD_TYPE.MEDIUM_BLOB, FIELD_TYPE.LONG_BLOB}
)  # fmt: skip
FLOATS = frozenset({FIELD_TYPE.FLOAT, FIELD_TYPE.DOUBLE})
DECIMALS = frozenset({FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL})

IN_UTC = "SET time_zone = '+00:00'"
"""What makes a session write instants in UTC."""
ENCODERS = {kind: encode for kind, encode in conversions.items() if not isinstance(kind, int)}
"""pymysql's converters of parameters without those of results: values arrive as the server's text."""


def from_text(values: Sequence[bytes | str | None], kind: int) -> pa.Array:
    """A column of a chunk from the server's text of its values; ``kind`` is of ``pymysql.constants.FIELD_TYPE``."""
    if kind == FIELD_TYPE.BIT:
        return _whole(pa.array([None if each is None else int.from_bytes(_bytes(each), "big") for each in values]))
    if kind == FIELD_TYPE.NULL:
        return pa.nulls(len(values))
    found = typed(pa.array(values, pa.binary()), kind)
    return pc.binary_join_element_wise(found, "Z", "") if kind == FIELD_TYPE.TIMESTAMP else found


def typed(array: pa.Array, kind: int) -> pa.Array:
    """A column that holds numbers, or the server's text of its values, in the type of its kind."""
    if kind in INTEGERS:
        return _whole(array)
    if kind in FLOATS:
        return array if pa.types.is_float64(array.type) else _utf8(array).cast(pa.float64())
    return decimal_texts(_utf8(array)) if kind in DECIMALS else _utf8(array)


def _whole(array: pa.Array) -> pa.Array:
    plain = array if pa.types.is_integer(array.type) or pa.types.is_null(array.type) else _utf8(array)
    try:
        return plain.cast(pa.int64())
    except pa.ArrowInvalid:
        return plain.cast(pa.uint64())


def _utf8(array: pa.Array) -> pa.Array:
    if pa.types.is_string(array.type):
        return array
    try:
        return array.cast(pa.string())
    except pa.ArrowInvalid:
        values: list[Any] = array.to_pylist()
        return pa.array([None if each is None else _bytes(each).decode("utf-8", "backslashreplace") for each in values])


def _bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value
