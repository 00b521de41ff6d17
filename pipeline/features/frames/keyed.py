"""Rows by key that grow from day to day: sorted arrays that are never written to once made.

A table is a large sorted base and a small sorted layer of newer rows over it. A day's rows go into the layer, which is
folded into the base when it has outgrown a share of it, so that a day costs about what it brings and not what is there.
Nothing is changed in place: whoever holds yesterday's table keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.frames.frame import Column, Lists

_LAYER_ROWS = 4096
_LAYER_SHARE = 16


def concat_lists(parts: Sequence[Lists]) -> Lists:
    """The rows of all parts, one part after the other."""
    offsets = np.zeros(1 + sum(len(part) for part in parts), np.int64)
    np.cumsum(np.concatenate([part.lengths for part in parts]), out=offsets[1:])
    values = [part.values[part.offsets[0] : part.offsets[-1]] for part in parts]
    return Lists(offsets, np.concatenate(values))


def join_lists(first: Lists, second: Lists) -> Lists:
    """Row by row, the values of ``first`` and then those of ``second``."""
    rows = np.arange(len(first))
    both = concat_lists([first, second]).take(np.stack([rows, rows + len(first)], axis=1).ravel())
    return Lists(both.offsets[::2], both.values)


def without_first(lists: Lists, counts: NDArray[np.int64]) -> Lists:
    """Each row without its first ``counts[row]`` values."""
    lengths = lists.lengths
    kept = np.maximum(lengths - counts, 0)
    offsets = np.zeros(len(lists) + 1, np.int64)
    np.cumsum(kept, out=offsets[1:])
    starts = np.repeat(lists.offsets[1:] - kept - offsets[:-1], kept)
    return Lists(offsets, lists.values[np.arange(offsets[-1]) + starts])


def empty_like(column: Column, rows: int) -> Column:
    """A column of ``rows`` zeros or empty lists, shaped as ``column``."""
    if isinstance(column, Lists):
        return Lists(np.zeros(rows + 1, np.int64), column.values[:0])
    return np.zeros((rows, *column.shape[1:]), column.dtype)


def taken(column: Column, rows: NDArray[np.int64]) -> Column:
    """The given rows of a column."""
    return column.take(rows) if isinstance(column, Lists) else column[rows]


def _where_there(column: Column, rows: NDArray[np.int64], there: NDArray[np.int64]) -> Column:
    """The given rows of a column: zeros or an empty list for those that are not ``there``, which are −1."""
    if isinstance(column, Lists):
        none = Lists(np.zeros(2, np.int64), column.values[:0])
        return concat_lists([column, none]).take(np.where(rows < 0, len(column), rows))
    out = np.zeros((len(rows), *column.shape[1:]), column.dtype)
    out[there] = column[rows[there]]
    return out


@dataclass(frozen=True)
class Keyed:
    """Rows with distinct ascending keys.

    Attributes:
        keys: int64 ``[rows]``, ascending.
        columns: arrays ``[rows, …]`` or lists.
    """

    keys: NDArray[np.int64]
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.keys)

    def find(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Row of each key, −1 where it is absent."""
        if not len(self.keys):
            return np.full(keys.shape, -1, np.int64)
        rows = np.searchsorted(self.keys, keys)
        rows[rows == len(self.keys)] = 0
        return np.where(self.keys[rows] == keys, rows, -1)

    def take(self, rows: NDArray[np.int64]) -> Keyed:
        return Keyed(self.keys[rows], {name: taken(column, rows) for name, column in self.columns.items()})

    def overridden(self, newer: Keyed) -> Keyed:
        """The rows of both; where a key is in both, the row of ``newer``."""
        if not len(self) or not len(newer):
            return newer if len(newer) else self
        replaced = self.find(newer.keys)
        kept = np.ones(len(self), np.bool_)
        kept[replaced[replaced >= 0]] = False
        old = np.flatnonzero(kept)
        keys = np.concatenate([self.keys[old], newer.keys])
        order = np.argsort(keys, kind="stable")  # two ascending runs: one merge
        source = np.concatenate([old, np.arange(len(newer)) + len(self)])[order]
        columns: dict[str, Column] = {}
        for name, column in self.columns.items():
            other = newer.columns[name]
            if isinstance(column, Lists):
                assert isinstance(other, Lists)
                columns[name] = concat_lists([column, other]).take(source)
            else:
                assert not isinstance(other, Lists)
                columns[name] = np.concatenate([column, other])[source]
        return Keyed(keys[order], columns)


@dataclass(frozen=True)
class Layered:
    """A keyed table as a base and a layer of newer rows over it."""

    base: Keyed
    layer: Keyed

    @classmethod
    def of(cls, base: Keyed) -> Layered:
        return cls(base, Keyed(base.keys[:0], {name: empty_like(column, 0) for name, column in base.columns.items()}))

    @cached_property
    def merged(self) -> Keyed:
        """All rows in one table, ascending: the same however the rows came in."""
        return self.base.overridden(self.layer)

    def updated(self, rows: Keyed) -> Layered:
        """The table with the rows put in, in place of those of the same keys."""
        if not len(rows):
            return self
        layer = self.layer.overridden(rows)
        if len(layer) > max(_LAYER_ROWS, len(self.base) // _LAYER_SHARE):
            return Layered.of(self.base.overridden(layer))
        return Layered(self.base, layer)

    def holds(self, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        return (self.base.find(keys) >= 0) | (self.layer.find(keys) >= 0)

    def at(self, keys: NDArray[np.int64], names: Iterable[str] | None = None) -> dict[str, Column]:
        """The columns (or those named) at 1-D ``keys``: zeros or empty lists where a key is absent."""
        wanted = tuple(self.base.columns if names is None else names)
        in_base = self.base.find(keys)
        if not len(self.layer):
            if len(in_base) == len(self.base) and (in_base == np.arange(len(in_base))).all():
                return {name: self.base.columns[name] for name in wanted}
            there = np.flatnonzero(in_base >= 0)
            if len(there) == len(keys):
                return {name: taken(self.base.columns[name], in_base) for name in wanted}
            if not len(there):
                return {name: empty_like(self.base.columns[name], len(keys)) for name in wanted}
            return {name: _where_there(self.base.columns[name], in_base, there) for name in wanted}
        in_layer = self.layer.find(keys)
        newer = in_layer >= 0
        older = (in_base >= 0) & ~newer
        rows = np.where(newer, in_layer, in_base)
        return {name: self._column(name, rows, older, newer) for name in wanted}

    def _column(self, name: str, rows: NDArray[np.int64], older: NDArray[np.bool_], newer: NDArray[np.bool_]) -> Column:
        base, layer = self.base.columns[name], self.layer.columns[name]
        if isinstance(base, Lists):
            assert isinstance(layer, Lists)
            parts = [base.take(rows[older]), layer.take(rows[newer]), Lists(np.zeros(2, np.int64), base.values[:0])]
            source = np.full(len(rows), len(parts[0]) + len(parts[1]))
            source[older] = np.arange(len(parts[0]))
            source[newer] = np.arange(len(parts[1])) + len(parts[0])
            return concat_lists(parts).take(source)
        assert not isinstance(layer, Lists)
        out: NDArray[Any] = np.zeros((len(rows), *base.shape[1:]), base.dtype)
        out[older] = base[rows[older]]
        out[newer] = layer[rows[newer]]
        return out
