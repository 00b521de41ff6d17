"""Maps in text, keys with a number each such as ``11:3,12:40``: read as the list of their keys, the largest first."""

from __future__ import annotations

import json
import math

import numpy as np
import pyarrow as pa

from pipeline.errors import DataError
from pipeline.ingest.parse.parsed import Parsed, by_value

_BROKEN, _TWICE = "not keys with a number each", "a key that stands twice"


def keys_by_number(array: pa.Array, mark: str, separator: str) -> Parsed:
    """Lists of the keys as text, those of larger numbers first, equal ones as they stand.

    A key whose number is 0 or less is left out: there was none of it. A cell may be an object in JSON too.

    Args:
        mark: between a key and its number.
        separator: between two of them.

    Raises:
        DataError: the column holds something else than text.
    """
    if pa.types.is_null(array.type):
        return Parsed.of(pa.nulls(len(array), pa.list_(pa.string())))
    of = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if not (pa.types.is_string(of) or pa.types.is_large_string(of)):
        raise DataError(f"is of type {array.type}, where a map in text is declared")
    return by_value(array, lambda distinct: _read(distinct, mark, separator))


def _read(texts: pa.Array, mark: str, separator: str) -> Parsed:
    found = [None if text is None else _keys(text.strip(), mark, separator) for text in texts.to_pylist()]
    lists = pa.array([each if isinstance(each, list) else None for each in found], pa.list_(pa.string()))
    parsed = Parsed.of(lists)
    for reason in (_BROKEN, _TWICE):
        parsed.fail(np.array([each == reason for each in found], bool), reason)
    return parsed


def _keys(text: str, mark: str, separator: str) -> list[str] | str | None:
    """The keys of a cell; none of an empty one; text is why it cannot be read."""
    try:
        if text.startswith("{"):
            pairs = [(key.strip(), value) for key, value in json.loads(text, object_pairs_hook=lambda each: each)]
        else:
            parts = [part.rpartition(mark) for part in text.split(separator) if part.strip()]
            pairs = [(key.strip(), number) for key, _, number in parts]
        numbers = [(key, _number(value)) for key, value in pairs]
    except (ValueError, TypeError, AttributeError):
        return _BROKEN
    keys = [key for key, _ in numbers]
    if not all(keys):
        return _BROKEN
    if len(set(keys)) < len(keys):
        return _TWICE
    there = [pair for pair in numbers if pair[1] > 0]
    return [key for key, _ in sorted(there, key=lambda pair: -pair[1])] or None


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not math.isfinite(number := float(value)):
        raise ValueError
    return number
