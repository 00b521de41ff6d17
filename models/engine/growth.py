"""Growth of an embedding table and of its optimiser slots to a bigger id map: old rows stay bit for bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.schema import PADDING, UNKNOWN


def grow_table(table: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """``table`` with ``size`` rows: the old ones as they were, every new one a copy of the unknown row.

    Raises:
        ValueError: ``size`` is below the rows of the table; id maps never shrink.
    """
    grown = _grow(table, size)
    grown[len(table) :] = table[UNKNOWN]
    grown[PADDING] = 0.0
    return grown


def grow_slot(slot: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """``slot`` with ``size`` rows: the old ones as they were, every new one zero."""
    return _grow(slot, size)


def _grow(array: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    if size < len(array):
        raise ValueError(f"a table of {len(array)} rows cannot shrink to {size}: id maps only grow")
    grown = np.zeros((size, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown
