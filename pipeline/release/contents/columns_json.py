"""Columns as JSON values and back, bit for bit: what profiles and contexts are stored as.

A row is a JSON array in the order of the columns; a missing value is ``null``. The kinds say what to make of it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from models.schema import MISSING_INT, MISSING_STR
from pipeline.features.frames.frame import Array, Column, Lists

_KINDS = {"i": "int", "f": "float", "O": "str"}


def kind_of(column: Column) -> str:
    """``int``, ``float``, ``str``, ``day`` or ``time``; lists with ``_list`` behind."""
    if isinstance(column, Lists):
        return f"{kind_of(column.values)}_list"
    if column.dtype.kind == "M":
        return "day" if column.dtype == np.dtype("datetime64[D]") else "time"
    return _KINDS[column.dtype.kind]


def plain(column: Column) -> list[Any]:
    """The values as JSON can hold them."""
    if isinstance(column, Lists):
        values, ends = plain(column.values), column.offsets.tolist()
        return [values[start:end] for start, end in pairwise(ends)]
    if column.dtype.kind == "M":
        texts = np.datetime_as_string(column).astype(object)
        texts[np.isnat(column)] = None
        return list(texts)
    values = column.tolist()
    if column.dtype.kind == "f":
        there = np.isfinite(column)
        return values if there.all() else [value if ok else None for value, ok in zip(values, there, strict=True)]
    missing = MISSING_INT if column.dtype.kind == "i" else MISSING_STR
    return [None if value == missing else value for value in values]


def column(values: Sequence[Any], kind: str) -> Column:
    """The column that ``plain`` made the values of; a row of ``None`` is a missing value or an empty list."""
    if kind.endswith("_list"):
        rows = [value or [] for value in values]
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        return Lists(offsets, flat([value for row in rows for value in row], kind.removesuffix("_list")))
    return flat(values, kind)


def flat(values: Sequence[Any], kind: str) -> Array:
    if kind == "int":
        return np.array([MISSING_INT if value is None else value for value in values], np.int64)
    if kind == "float":
        return np.array([np.nan if value is None else value for value in values], np.float64)
    if kind in ("day", "time"):
        return np.array(values, "datetime64[D]" if kind == "day" else "datetime64[ms]")
    out = np.empty(len(values), object)
    out[:] = [MISSING_STR if value is None else value for value in values]
    return out
