"""Matrices of parts that lie in files, one below the other: read some rows at a time, never held whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.features.frames.frame import Array
from pipeline.storage.array_file import StoredArray

if TYPE_CHECKING:
    _Matrix = np.ndarray[Any, np.dtype[Any]]
else:
    _Matrix = object


class Stacked(_Matrix):
    """What stands for a matrix ``[rows, columns]``: of some rows it gives the array.

    Args:
        parts: in order.
        columns: how many there are.
        changed: what is made of some rows of a part, ``[rows, columns]``; nothing where none is given.
    """

    ndim = 2

    if TYPE_CHECKING:

        def __new__(
            cls, parts: Sequence[StoredArray], columns: int, changed: Callable[[int, Array], Array] | None = None
        ) -> Stacked: ...

    def __init__(
        self, parts: Sequence[StoredArray], columns: int, changed: Callable[[int, Array], Array] | None = None
    ) -> None:
        self._parts, self._columns, self._changed = parts, columns, changed
        self._dtype = np.result_type(*(part.dtype for part in parts))
        self._ends = np.cumsum([part.shape[0] for part in parts])

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._dtype

    @property  # type: ignore[misc]
    def shape(self) -> tuple[int, int]:
        return int(self._ends[-1]), self._columns

    @property
    def nbytes(self) -> int:
        return self.shape[0] * self._columns * self.dtype.itemsize

    @property
    def size(self) -> int:
        return self.shape[0] * self._columns

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Array:
        """A slice of rows, and one of their columns."""
        if isinstance(key, tuple):
            rows, columns = key
            return self[rows][:, columns]
        first, last, _ = key.indices(len(self))
        found = [np.empty((0, self._columns), self.dtype)]
        for number, (part, end) in enumerate(zip(self._parts, self._ends.tolist(), strict=True)):
            begin = end - part.shape[0]
            if begin < last and first < end:
                values = part[max(first - begin, 0) : min(last, end) - begin]
                found.append(self._changed(number, values) if self._changed is not None else values)
        return np.concatenate(found, dtype=self.dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:  # type: ignore[override]
        return np.asarray(self[:], dtype)
