"""The first rows of an embedding table, and its growth to a bigger id map, in which old rows stay bit for bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.randomness import stable_seed
from models.schema import PADDING, UNKNOWN
from models.tables import TableSpec

_INITIAL_SCALE = 0.05


def first_table(spec: TableSpec, size: int, seed: int) -> NDArray[np.float32]:
    """``[size, width]`` rows of a table of which nothing is learnt yet.

    Where they are ``drawn``, as for ids that come later, every row starts as the unknown row: an id about which nothing
    is known yet is scored like an unknown one. Rows drawn at random lose .0035 AUC on KuaiRand.
    """
    if spec.first == "zeros":
        return np.zeros((size, spec.width), np.float32)
    draw = np.random.Generator(np.random.Philox(stable_seed(seed, "table", spec.name)))
    unknown = draw.uniform(-_INITIAL_SCALE, _INITIAL_SCALE, spec.width).astype(np.float32)
    return grow_table(np.stack([np.zeros(spec.width, np.float32), unknown]), size)


def grow_table(table: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """``table`` with ``size`` rows: the old ones as they were, every new one a copy of the unknown row.

    Raises:
        ValueError: ``size`` is below the rows of the table; id maps never shrink.
    """
    grown = _grow(table, size)
    grown[len(table) :] = table[UNKNOWN]
    grown[PADDING] = 0.0
    return grown


def grow_slot(slot: NDArray[np.float32], size: int, first: float = 0.0) -> NDArray[np.float32]:
    """``slot`` with ``size`` rows: the old ones as they were, every new one what a slot starts from."""
    grown = _grow(slot, size)
    grown[max(len(slot), UNKNOWN) :] = first
    return grown


def _grow(array: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    if size < len(array):
        raise ValueError(f"a table of {len(array)} rows cannot shrink to {size}: id maps only grow")
    grown = np.zeros((size, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown
