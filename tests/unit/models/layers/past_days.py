"""Statistics of past days, a day after another, as an engine observes them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.layers.normalise import bound, merge


def add_statistics(past: NDArray[np.float64], values: NDArray[np.float32]) -> NDArray[np.float64]:
    return merge(past, bound(past, values))
