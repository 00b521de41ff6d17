"""Columns as the arrays of a file: whole numbers as narrow as they are, each distinct text once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from models.schema import MISSING_INT
from pipeline.features.frames.frame import Array, Column, Lists
from pipeline.features.frames.texts import Texts

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
            texts = Texts.of(values)
            self.arrays[f"{name}#words"] = texts.words
            self.arrays[name] = _narrow(texts.codes)
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
        # As long as anybody holds them: widened, all columns together are many times the file.
        self._read: WeakValueDictionary[str, Column] = WeakValueDictionary()

    def __getitem__(self, name: str) -> Column:
        found = self._read.get(name)
        if found is None:
            found = self._column(name)
            self._read[name] = found
        return found

    def under(self, names: Mapping[str, str]) -> Mapping[str, Column]:
        """Some columns by other names, each read when it is asked for."""
        return _Named(self, names)

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
            return Texts(np.asarray(self._arrays[f"{name}#words"], object), array)
        if kept == _INT:
            return _wide(array)
        return array if kept == _PLAIN else array.view(kept)


class _Named(Mapping[str, Column]):
    def __init__(self, columns: StoredColumns, names: Mapping[str, str]) -> None:
        self._columns, self._names = columns, names

    def __getitem__(self, name: str) -> Column:
        return self._columns[self._names[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _narrow(values: NDArray[np.signedinteger[Any]]) -> NDArray[np.signedinteger[Any]]:
    """In the narrowest type that holds the values; its least number stands for missing ones."""
    missing, there = None, values
    if len(values) and int(values.min()) == MISSING_INT:
        missing = values == MISSING_INT
        there = values[~missing]
    low, high = (int(there.min()), int(there.max())) if len(there) else (0, 0)
    for kind in (np.int8, np.int16, np.int32):
        limits = np.iinfo(kind)
        if limits.min < low and high <= limits.max:
            found: NDArray[np.signedinteger[Any]] = values.astype(kind)
            if missing is not None:
                found[missing] = limits.min
            return found
    return values


def _wide(values: NDArray[np.signedinteger[Any]]) -> NDArray[np.int64]:
    if values.dtype == np.int64:
        return values.view(np.int64)
    wide = values.astype(np.int64)
    wide[wide == np.iinfo(values.dtype).min] = MISSING_INT
    return wide
