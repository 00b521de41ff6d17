"""Columns of a day's rows: flat arrays, or lists as offsets and values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.frames.texts import Texts

Array = NDArray[Any]
_BLOCK = 8192
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Lists:
    """A column of lists: row ``i`` holds ``values[offsets[i]:offsets[i + 1]]``."""

    offsets: NDArray[np.int64]
    values: Array

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        return self.offsets[1:] - self.offsets[:-1]

    def take(self, rows: NDArray[np.int64]) -> Lists:
        """The lists of the given rows, in that order."""
        first = self.offsets[:-1][rows]
        lengths = self.offsets[1:][rows] - first
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        starts = np.repeat(first - offsets[:-1], lengths)
        return Lists(offsets, self.values[np.arange(offsets[-1]) + starts])

    def padded(self, width: int, fill: Any) -> Array:
        """``[rows, width]``: each list's first ``width`` values, then ``fill``."""
        if isinstance(self.values, Texts):
            words, codes, place = self.values.beside(fill)
            return Texts(words, Lists(self.offsets, codes).padded(width, place))
        out = np.full((len(self), width), fill, self.values.dtype)
        column, lengths = np.arange(width), self.lengths
        # Rows in pieces that stay in the processor's cache.
        for start in range(0, len(self), _BLOCK):
            rows = slice(start, min(start + _BLOCK, len(self)))
            there = column < lengths[rows, None]
            values = self.values[self.offsets[start] : self.offsets[rows.stop]]
            if lengths[rows].max() > width:
                values = values[((self.offsets[rows] - self.offsets[start])[:, None] + column)[there]]
            out[rows][there] = values
        return out

    @classmethod
    def of(cls, rows: list[list[Any]], dtype: Any) -> Lists:
        """Lists from nested Python lists (for tests and single requests)."""
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        return cls(offsets, np.array([value for row in rows for value in row], dtype))


Column = Array | Lists


@dataclass(frozen=True)
class Frame:
    """Named columns of equal length."""

    rows: int
    columns: Mapping[str, Column]

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def take(self, rows: NDArray[np.int64]) -> Frame:
        return Frame(
            len(rows),
            {
                name: column.take(rows) if isinstance(column, Lists) else column[rows]
                for name, column in self.columns.items()
            },
        )


def singles(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """As float32; what lies beyond it is its largest number, a wild value and not one that is missing."""
    # `np.clip` says the same and takes three times as long of the few values of a request.
    return np.minimum(np.maximum(values, -_LARGEST), _LARGEST).astype(np.float32)
