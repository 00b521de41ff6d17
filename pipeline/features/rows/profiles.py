"""Profiles of users and items, joined to rows by key; who has none has missing values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from models.schema import MISSING_INT, MISSING_STR
from pipeline.errors import DataError
from pipeline.features.frames.frame import Array, Column, Frame, Lists
from pipeline.features.frames.from_arrow import Places, column_of, first_rows
from pipeline.features.frames.texts import placed


class Profiles:
    """An undated table with one row a key.

    Args:
        table: the validated table.
        key: its key column.
        columns: the columns that are joined.
    """

    def __init__(self, table: pa.Table, key: str, columns: Iterable[str]) -> None:
        keys = column_of(table, key)
        if isinstance(keys, Lists):
            raise DataError(f"profile key '{key}' holds lists; a key is one value")
        # Of several rows of a key the first in canonical order counts; validation has counted the others.
        first = first_rows(keys)
        self._places = Places(keys[first])
        self._frame = Frame(len(first), {name: _taken(column_of(table, name), first) for name in columns})

    def join(self, keys: Array, prefix: str) -> dict[str, Column]:
        """The columns of the profiles of ``keys``, named ``<prefix>.<column>``."""
        at = self._places(keys)
        found = at >= 0
        rows = np.where(found, at, 0).astype(np.int64)
        joined: dict[str, Column] = {}
        for name, column in self._frame.columns.items():
            if not self._frame.rows:
                joined[f"{prefix}.{name}"] = _all_missing(column, len(keys))
            elif isinstance(column, Lists):
                joined[f"{prefix}.{name}"] = _only(column.take(rows), found)
            else:
                there = np.flatnonzero(found)
                joined[f"{prefix}.{name}"] = placed(column[rows[there]], there, len(rows), _missing(column))
        return joined


def _taken(column: Column, rows: Any) -> Column:
    return column.take(rows) if isinstance(column, Lists) else column[rows]


def _only(lists: Lists, rows: Any) -> Lists:
    """The lists of the rows marked, the others empty."""
    kept = np.repeat(rows, lists.lengths)
    offsets = np.zeros(len(lists) + 1, np.int64)
    np.cumsum(np.where(rows, lists.lengths, 0), out=offsets[1:])
    return Lists(offsets, lists.values[kept])


def _missing(column: Array) -> Any:
    kind = column.dtype.kind
    if kind == "M":
        return np.datetime64("NaT")
    return {"i": MISSING_INT, "f": np.nan}.get(kind, MISSING_STR)


def _all_missing(column: Column, rows: int) -> Column:
    if isinstance(column, Lists):
        return Lists(np.zeros(rows + 1, np.int64), column.values[:0])
    return np.full(rows, _missing(column), column.dtype)
