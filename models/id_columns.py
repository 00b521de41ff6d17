"""A day's matrix of ids by feature, each in a type as narrow as its id map allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    _Matrix = np.ndarray[Any, np.dtype[Any]]
else:
    _Matrix = object


class IdColumns(_Matrix):
    """What stands for an int32 matrix ``[rows, columns]``: of some rows it gives int32, of one feature what is held.

    Args:
        rows: number of rows.
        parts: by first column, whole numbers ``[rows, columns]`` side by side; of one row, where all rows are equal.
    """

    dtype = np.dtype(np.int32)
    ndim = 2

    if TYPE_CHECKING:

        def __new__(cls, rows: int, parts: Mapping[int, NDArray[Any]]) -> IdColumns: ...

    def __init__(self, rows: int, parts: Mapping[int, NDArray[Any]]) -> None:
        self.parts = dict(sorted(parts.items()))
        self._rows = rows

    @property  # type: ignore[misc]
    def shape(self) -> tuple[int, int]:
        return self._rows, sum(part.shape[1] for part in self.parts.values())

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """``[rows]`` of all columns, or ``[:, first:last]`` of a part."""
        if not isinstance(key, tuple):
            return self._taken(key)
        rows, columns = key
        first, last, _ = columns.indices(self.shape[1])
        if first == last:
            return self._joined([], rows)
        start = max(start for start in self.parts if start <= first)
        part = self._whole(self.parts[start])[rows, first - start : last - start]
        if part.shape[1] != last - first:
            raise IndexError(f"columns {first}:{last} are not of one feature")
        return part

    def _taken(self, rows: Any) -> NDArray[np.int32]:
        return self._joined([self._whole(part)[rows] for part in self.parts.values()], rows)

    def _joined(self, parts: list[NDArray[Any]], rows: Any) -> NDArray[np.int32]:
        return np.concatenate([np.empty((self._rows, 0), np.int32)[rows], *parts], axis=-1, dtype=np.int32)

    def _whole(self, part: NDArray[Any]) -> NDArray[Any]:
        return part if len(part) == self._rows else np.broadcast_to(part, (self._rows, part.shape[1]))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # type: ignore[override]
        return np.asarray(self._taken(slice(None)), dtype)


def type_of_ids(size: int) -> np.dtype[Any]:
    """The narrowest type of the indices of an id map of so many."""
    return np.dtype(next((kind for kind in (np.uint8, np.uint16) if size - 1 <= np.iinfo(kind).max), np.int32))
