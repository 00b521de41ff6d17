"""Where the rows of a model's tables stand in the fused ones, one a width and optimiser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.schema import FIRST, PADDING, UNKNOWN
from models.tables import Fused, TableSpec

PADDING_ROW = 0
"""Global row of padding in every fused table: zero, and never updated."""

_SMALLEST = 64


def step_of_ladder(rows: int) -> int:
    """The next of 64, 96, 128, 192, 256, … that is at least ``rows``."""
    step = _SMALLEST
    while step < rows:
        if step * 3 // 2 >= rows:
            return step * 3 // 2
        step *= 2
    return step


def capacity(size: int) -> int:
    """Rows set aside for an id space of ``size`` indices: an eighth of head-room, then the ladder's next step.

    A function of the size alone, so that the shapes of a day do not depend on what a process did before.

    >>> capacity(1000), capacity(1100), capacity(1366)
    (1536, 1536, 1536)
    """
    return step_of_ladder(size + size // 8)


@dataclass(frozen=True)
class Table:
    """One fused table: the model's tables of one width that are moved alike.

    Attributes:
        fused: which it is.
        spaces: id space of each table by its name.
        sizes: number of indices of each table, padding and unknown included.
        offsets: index ``i > 0`` of a table is row ``offsets[name] + i``; index 0 is row 0.
        rows: rows of the table, head-room included.
        without_unknown: the tables in which an unknown id reads as padding.
    """

    fused: Fused
    spaces: Mapping[str, str]
    sizes: Mapping[str, int]
    offsets: Mapping[str, int]
    rows: int
    without_unknown: frozenset[str] = frozenset()

    @property
    def width(self) -> int:
        """Floats a row."""
        return self.fused.width

    def fuse(self, apart: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """``[size, width]`` arrays of every table as one ``[rows, width]`` array; head-room is zero."""
        fused = np.zeros((self.rows, self.width), np.float32)
        for name, size in self.sizes.items():
            start = self.offsets[name]
            fused[start + UNKNOWN : start + size] = apart[name][UNKNOWN:]
        return fused

    def split(self, fused: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """The ``[size, width]`` array of every table, row 0 zero."""
        parts: dict[str, NDArray[np.float32]] = {}
        for name, size in self.sizes.items():
            part = np.zeros((size, self.width), np.float32)
            start = self.offsets[name]
            part[UNKNOWN:] = fused[start + UNKNOWN : start + size]
            parts[name] = part
        return parts

    def lookup(self, name: str, limit: int | None = None, hidden: NDArray[np.int64] | None = None) -> NDArray[np.int32]:
        """Row of every index of a table, ``[limit + 1]``; the last entry is what lies beyond: the unknown row, or
        padding where the table has none.

        Args:
            name: a table of the model that is part of this one.
            limit: indices from here on read as unknown; at most, and by default, the table's size.
            hidden: indices that read as unknown all the same.
        """
        known = self.sizes[name] if limit is None else max(FIRST, min(limit, self.sizes[name]))
        rows = np.arange(known + 1, dtype=np.int32) + np.int32(self.offsets[name])
        unknown = PADDING_ROW if name in self.without_unknown else self.offsets[name] + UNKNOWN
        rows[PADDING] = PADDING_ROW
        rows[[UNKNOWN, known]] = unknown
        if hidden is not None and len(hidden):
            rows[hidden[hidden < known]] = unknown
        return rows


def fused_tables(specs: Iterable[TableSpec], sizes: Mapping[str, int]) -> tuple[Table, ...]:
    """The fused tables of the given ones, narrowest first.

    Args:
        sizes: number of indices of every id space (at least 2: padding and unknown).

    Raises:
        ValueError: a space without a size, or a size below 2.
    """
    by_name = {spec.name: spec for spec in specs}
    for space in {spec.space for spec in by_name.values()}:
        if sizes.get(space, 0) < FIRST:
            raise ValueError(f"id space '{space}': size {sizes.get(space)}; expected at least {FIRST}")
    tables = []
    for fused in sorted({spec.fused for spec in by_name.values()}):
        spaces = {name: by_name[name].space for name in sorted(by_name) if by_name[name].fused == fused}
        offsets: dict[str, int] = {}
        end = PADDING_ROW
        for name, space in spaces.items():
            offsets[name] = end
            end += capacity(sizes[space])
        sizes_here = {name: int(sizes[space]) for name, space in spaces.items()}
        without = frozenset(name for name in spaces if by_name[name].unknown == "nothing")
        tables.append(Table(fused, spaces, sizes_here, offsets, step_of_ladder(end + 1), without))
    return tuple(tables)


def lookups(
    tables: Iterable[Table], limits: Mapping[str, int], hidden: Mapping[str, NDArray[np.int64]]
) -> dict[str, NDArray[np.int32]]:
    """The lookup of every table by its name; ``limits`` and ``hidden`` as of :meth:`Table.lookup`, by id space."""
    return {
        name: table.lookup(name, limits.get(space), hidden.get(space))
        for table in tables for name, space in table.spaces.items()
    }  # fmt: skip


def rows_of(lookup: NDArray[np.int32], indices: NDArray[np.int32]) -> NDArray[np.int32]:
    """Global rows of indices of any shape; whatever is negative or beyond the lookup reads as unknown."""
    # A negative int32 seen as unsigned is beyond every size.
    within = np.minimum(np.ascontiguousarray(indices, np.int32).view(np.uint32), np.uint32(len(lookup) - 1))
    return lookup.take(within)
