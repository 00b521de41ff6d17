"""Count, mean, spread and range of dense features over past days: what normalisation learns from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Moments:
    """Of each column of a dense feature, over its finite values; a missing value counts for nothing.

    Attributes:
        count: int64 ``[size]`` values.
        mean: float64 ``[size]``, 0 without values.
        squares: float64 ``[size]`` sum of squared deviations from the mean.
        low, high: float64 ``[size]`` range; +inf and −inf without values.
    """

    count: NDArray[np.int64]
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def empty(cls, size: int) -> Moments:
        return cls(
            np.zeros(size, np.int64), np.zeros(size), np.zeros(size), np.full(size, np.inf), np.full(size, -np.inf)
        )

    @classmethod
    def of(cls, rows: NDArray[np.float32]) -> Moments:
        """The moments of ``[rows, size]``."""
        values = np.ascontiguousarray(rows.T, np.float64)  # each column's sum runs over adjacent values, in row order
        there = np.isfinite(values)
        count = there.sum(axis=1)
        mean = np.where(there, values, 0.0).sum(axis=1) / np.maximum(count, 1)
        squares = np.where(there, values - mean[:, None], 0.0)
        return cls(
            count,
            mean,
            (squares * squares).sum(axis=1),
            np.where(there, values, np.inf).min(axis=1, initial=np.inf),
            np.where(there, values, -np.inf).max(axis=1, initial=-np.inf),
        )

    def merged(self, later: Moments) -> Moments:
        """The moments of both together (Chan's update, which does not cancel where sums of squares would)."""
        count = self.count + later.count
        share = later.count / np.maximum(count, 1)
        apart = later.mean - self.mean
        return Moments(
            count,
            self.mean + apart * share,
            self.squares + later.squares + apart * apart * (self.count * share),
            np.minimum(self.low, later.low),
            np.maximum(self.high, later.high),
        )

    @property
    def std(self) -> NDArray[np.float64]:
        """float64 ``[size]`` standard deviation (of the population), 0 without values."""
        return np.sqrt(self.squares / np.maximum(self.count, 1))

    def arrays(self) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
        return {"count": self.count, "mean": self.mean, "squares": self.squares, "low": self.low, "high": self.high}
