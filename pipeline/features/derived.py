"""Dense values that are made of the feature state: style counts of the window, study values of a package."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import FIRST, PADDING


def style_counts(styles: NDArray[Any], size: int) -> tuple[NDArray[np.float32], int]:
    """On how many days of each window each style was set.

    Args:
        styles: indices ``[requests, days, values]``, 0 where there is none.
        size: number of styles counted: those that were seen first, in order of their index.

    Returns: float32 ``[requests, size]``, and how many days' styles have no column.
    """
    requests = len(styles)
    flat = styles.reshape(requests, -1).astype(np.int64)
    column = flat - FIRST
    kept = (column >= 0) & (column < size)
    cell = (np.arange(requests)[:, None] * size + column)[kept]
    table = np.bincount(cell, minlength=requests * size).reshape(requests, size).astype(np.float32)
    return table, int((flat != PADDING).sum() - kept.sum())
