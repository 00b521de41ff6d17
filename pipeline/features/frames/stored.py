"""Columns as the arrays of a file: whole numbers as narrow as they are, each distinct text once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.schema import MISSING_INT
from pipeline.features.frames.frame import Array, Column, Lists

_TEXT, _INT, _PLAIN = "text", "int", "plain"


class PackedColumns:
    """Columns that are put into a file, by name; one that stands under several names is kept once.

    Attributes:
        arrays: what the file holds.
        index: JSON; how each column is told from them.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self.index: dict[str, Any] = {}
        # By identity, with the column itself: an id is given anew once its object has gone.
        self._names: dict[int, tuple[str, Column]] = {}

    def add(self, name: str, column: Column) -> None:
        if id(column) in self._names:
            self.index[name] = {"same": self._names[id(column)][0]}
            return
        self._names[id(column)] = (name, column)
        if isinstance(column, Lists):
            self.index[name] = {"lists": self._values(f"{name}#values", column.values)}
            self.arrays[f"{name}#offsets"] = _narrow(column.offsets)
        else:
            self.index[name] = self._values(name, column)

    def _values(self, name: str, values: Array) -> str:
        if values.dtype.kind == "O":
            encoded = pa.array(values, pa.string()).dictionary_encode()
            self.arrays[f"{name}#words"] = np.asarray(encoded.dictionary.to_numpy(zero_copy_only=False), object)
            self.arrays[name] = _narrow(encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64))
            return _TEXT
        if values.dtype == np.int64:
            self.arrays[name] = _narrow(values)
            return _INT
        if values.dtype.kind == "M":
            self.arrays[name] = values.view(np.int64)
            return values.dtype.str
        self.arrays[name] = values
        return _PLAIN


class StoredColumns:
    """Columns out of a file, by name; those that need no widening stay memory-mapped."""

    def __init__(self, arrays: Mapping[str, Array], index: Mapping[str, Any]) -> None:
        self._arrays = arrays
        self._index = index
        self._read: dict[str, Column] = {}

    def __getitem__(self, name: str) -> Column:
        if name not in self._read:
            self._read[name] = self._column(name)
        return self._read[name]

    def _column(self, name: str) -> Column:
        kept = self._index[name]
        if isinstance(kept, str):
            return self._values(name, kept)
        if "same" in kept:
            return self[kept["same"]]
        return Lists(_wide(self._arrays[f"{name}#offsets"]), self._values(f"{name}#values", kept["lists"]))

    def _values(self, name: str, kept: str) -> Array:
        array = self._arrays[name]
        if kept == _TEXT:
            return np.asarray(self._arrays[f"{name}#words"], object)[_wide(array)]
        if kept == _INT:
            return _wide(array)
        return array if kept == _PLAIN else array.view(kept)


def _narrow(values: NDArray[np.int64]) -> NDArray[np.signedinteger[Any]]:
    """In the narrowest type that holds the values; its least number stands for missing ones."""
    missing = values == MISSING_INT
    there = values[~missing]
    low, high = (int(there.min()), int(there.max())) if len(there) else (0, 0)
    for kind in (np.int8, np.int16, np.int32):
        limits = np.iinfo(kind)
        if limits.min < low and high <= limits.max:
            return np.where(missing, limits.min, values).astype(kind)
    return values


def _wide(values: NDArray[np.signedinteger[Any]]) -> NDArray[np.int64]:
    if values.dtype == np.int64:
        return values.view(np.int64)
    wide = values.astype(np.int64)
    wide[wide == np.iinfo(values.dtype).min] = MISSING_INT
    return wide
