"""Where the rows of every id space stand in the fused embedding tables, one table a width."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.schema import FIRST, PADDING, UNKNOWN

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
    """One fused table: the spaces of one embedding width.

    Attributes:
        width: floats a row.
        sizes: number of indices of each space, padding and unknown included.
        offsets: index ``i > 0`` of a space is row ``offsets[space] + i``; index 0 is row 0.
        rows: rows of the table, head-room included.
    """

    width: int
    sizes: Mapping[str, int]
    offsets: Mapping[str, int]
    rows: int

    def fuse(self, per_space: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """``[size, width]`` arrays of every space as one ``[rows, width]`` array; head-room is zero."""
        fused = np.zeros((self.rows, self.width), np.float32)
        for space, size in self.sizes.items():
            start = self.offsets[space]
            fused[start + UNKNOWN : start + size] = per_space[space][UNKNOWN:]
        return fused

    def split(self, fused: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """The ``[size, width]`` array of every space, row 0 zero."""
        parts: dict[str, NDArray[np.float32]] = {}
        for space, size in self.sizes.items():
            part = np.zeros((size, self.width), np.float32)
            start = self.offsets[space]
            part[UNKNOWN:] = fused[start + UNKNOWN : start + size]
            parts[space] = part
        return parts

    def lookup(
        self, space: str, limit: int | None = None, hidden: NDArray[np.int64] | None = None
    ) -> NDArray[np.int32]:
        """Row of every index of ``space``, ``[limit + 1]``; the last entry is what lies beyond: the unknown row.

        Args:
            space: an id space of this table.
            limit: indices from here on read as unknown; at most, and by default, the space's size.
            hidden: indices that read as unknown all the same.
        """
        known = self.sizes[space] if limit is None else max(FIRST, min(limit, self.sizes[space]))
        rows = np.arange(known + 1, dtype=np.int32) + np.int32(self.offsets[space])
        unknown = self.offsets[space] + UNKNOWN
        rows[PADDING] = PADDING_ROW
        rows[known] = unknown
        if hidden is not None and len(hidden):
            rows[hidden[hidden < known]] = unknown
        return rows


def fused_tables(dims: Mapping[str, int], sizes: Mapping[str, int]) -> tuple[Table, ...]:
    """The fused tables of the given spaces, narrowest first.

    Args:
        dims: embedding width of every space.
        sizes: number of indices of every space (at least 2: padding and unknown).

    Raises:
        ValueError: a space without a size, or a size below 2.
    """
    for space in dims:
        if sizes.get(space, 0) < FIRST:
            raise ValueError(f"id space '{space}': size {sizes.get(space)}; expected at least {FIRST}")
    tables = []
    for width in sorted(set(dims.values())):
        spaces = [space for space in sorted(dims) if dims[space] == width]
        offsets: dict[str, int] = {}
        end = PADDING_ROW
        for space in spaces:
            offsets[space] = end
            end += capacity(sizes[space])
        tables.append(Table(width, {s: int(sizes[s]) for s in spaces}, offsets, step_of_ladder(end + 1)))
    return tuple(tables)


def lookups(
    tables: Iterable[Table], limits: Mapping[str, int], hidden: Mapping[str, NDArray[np.int64]]
) -> dict[str, NDArray[np.int32]]:
    """The lookup of every id space; ``limits`` and ``hidden`` as of :meth:`Table.lookup`, by space."""
    return {
        space: table.lookup(space, limits.get(space), hidden.get(space)) for table in tables for space in table.sizes
    }


def rows_of(lookup: NDArray[np.int32], indices: NDArray[np.int32]) -> NDArray[np.int32]:
    """Global rows of indices of any shape; whatever is negative or beyond the lookup reads as unknown."""
    # A negative int32 seen as unsigned is beyond every size.
    within = np.minimum(np.ascontiguousarray(indices, np.int32).view(np.uint32), np.uint32(len(lookup) - 1))
    return lookup.take(within)
