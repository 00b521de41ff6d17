"""A day's arrays as they are stored: as narrow as their values, and what all rows or another array say, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.id_columns import IdColumns
from pipeline.features.frames.frame import Array

_ROWS = 1 << 16
_OFFSETS, _USER, _IDS = "offsets", "user", "request_ids"


def packed(arrays: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, Any]]:
    """What is stored of arrays by name, and JSON values that tell how they are read."""
    stored: dict[str, Array] = {}
    told: dict[str, Any] = {}
    for name, array in arrays.items():
        if isinstance(array, IdColumns):
            told[name] = {"rows": len(array), "parts": list(array.parts)}
            stored |= {f"{name}/{start}": _once(part) for start, part in array.parts.items()}
        elif name == _USER and (start := _column_of(arrays.get(_IDS), array)) is not None:
            told[name] = {"column": start}
        elif array.ndim == 1 and array.dtype.kind != "O":
            values = np.diff(array) if name == _OFFSETS else array
            stored[name] = _once(_narrow(values))
            told[name] = {"rows": len(values), "dtype": array.dtype.str}
        else:
            stored[name] = array
    return stored, told


def unpacked(stored: Mapping[str, Array], told: Mapping[str, Any]) -> dict[str, Array]:
    """The arrays of what is stored of them; those that an earlier version stored are as they were."""
    arrays: dict[str, Array] = {name: array for name, array in stored.items() if "/" not in name}
    for name, how in told.items():
        if "parts" in how:
            arrays[name] = IdColumns(how["rows"], {start: stored[f"{name}/{start}"] for start in how["parts"]})
        elif "rows" in how:
            values = stored[name].astype(how["dtype"], copy=False)
            # Copied: numpy copies an array whose rows are one whenever it takes some of them.
            arrays[name] = values if len(values) == how["rows"] else np.repeat(values, how["rows"])
            if name == _OFFSETS:
                arrays[name] = np.concatenate([[0], np.cumsum(arrays[name])]).astype(how["dtype"])
    for name, how in told.items():
        if "column" in how:
            arrays[name] = arrays[_IDS][:, how["column"] : how["column"] + 1][:, 0].astype(np.int32)
    return arrays


def _once(values: Array) -> Array:
    """The first row, where all have its bits."""
    if len(values) < 2 or not _same(values[:1], values[-1:]):
        return values
    first = values[:1]
    alike = all(_same(first, values[start : start + _ROWS]) for start in range(0, len(values), _ROWS))
    return first if alike else values


def _same(first: Array, rows: Array) -> bool:
    if first.dtype.kind == "f":
        first, rows = (each.view(f"u{each.itemsize}") for each in (first, rows))
    return bool((rows == first).all())


def _narrow(values: Array) -> Array:
    if values.dtype.kind not in "iu" or not len(values):
        return values
    low, high = int(values.min()), int(values.max())
    for kind in (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind) if np.dtype(kind).itemsize < values.itemsize else values
    return values


def _column_of(ids: Array | None, values: Array) -> int | None:
    """The part of a matrix of ids that is one column with these values."""
    if not isinstance(ids, IdColumns):
        return None
    single = [start for start, part in ids.parts.items() if part.shape[1] == 1]
    return next((start for start in single if np.array_equal(ids[:, start : start + 1][:, 0], values)), None)
