"""Normalisation of dense features by the statistics of past days, kept with the model's weights."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.layers.wild_values import UNKNOWN, Bounded, Past, bounded

METHODS = ("none", "zscore", "minmax")
BOUND = 10.0
"""A normalised value is kept within this distance of zero unless told: one wild value must not blow up the loss."""

COUNT, MEAN, SQUARES, LOWEST, HIGHEST = range(5)
"""Rows of a feature's statistics, float64 ``[5, size]``: mergeable, so that a day is added to what was."""


def no_statistics(size: int) -> NDArray[np.float64]:
    """The statistics of no values."""
    return np.zeros((5, size), np.float64)


def bound(past: NDArray[np.float64], values: NDArray[np.float32]) -> Bounded:
    """The values as they may enter the statistics ``past``."""
    return bounded(values, [_past(*past[:, place]) for place in range(past.shape[1])])


def _past(count: float, mean: float, squares: float, lowest: float, highest: float) -> Past:
    if count == 0 or lowest == highest:
        return UNKNOWN
    return Past(count, mean, lowest, highest, float(np.sqrt(squares / count)))


def merge(past: NDArray[np.float64], day: Bounded) -> NDArray[np.float64]:
    """``past``, but what of it begins anew, merged with a day's bounded values."""
    past = np.where(day.anew, 0.0, past)
    values = day.values
    finite = np.isfinite(values)
    wide = np.where(finite, values, 0.0).astype(np.float64)
    count = finite.sum(axis=0).astype(np.float64)
    some = count > 0
    mean = np.divide(wide.sum(axis=0), count, out=np.zeros_like(count), where=some)
    squares = (np.square(wide - mean) * finite).sum(axis=0)
    lowest = np.where(finite, values, np.inf).min(axis=0, initial=np.inf)
    highest = np.where(finite, values, -np.inf).max(axis=0, initial=-np.inf)
    before = past[COUNT] > 0
    total = past[COUNT] + count
    share = np.divide(count, total, out=np.zeros_like(count), where=total > 0)
    gap = mean - past[MEAN]
    merged = np.stack(
        [
            total,
            past[MEAN] + gap * share,
            past[SQUARES] + squares + np.square(gap) * past[COUNT] * share,
            np.where(before & some, np.minimum(past[LOWEST], lowest), np.where(some, lowest, past[LOWEST])),
            np.where(before & some, np.maximum(past[HIGHEST], highest), np.where(some, highest, past[HIGHEST])),
        ]
    )
    return np.where(some, merged, past)


def logged(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """``sign(x) log(1 + |x|)``: the tail of a count is no longer than its digits; what is not finite stays so."""
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)), np.float32)


class Normalise(keras.layers.Layer):
    """``(x - shift) * scale`` with the shift and scale of past days; a missing value (NaN) becomes 0.

    ``zscore`` takes mean and standard deviation, ``minmax`` the lowest value and the range. Without any
    statistics yet, and where all past values are the same, the result is 0. ``none`` keeps the value.

    Args:
        size: floats of the feature.
        method: ``none``, ``zscore`` or ``minmax``.
        log: of :func:`logged` values, whose statistics they then are.
        clip: how far from zero a normalised value is kept, instead of :data:`BOUND`.
        flag: beside the values, which of them are missing (1 or 0): twice as many floats.
    """

    def __init__(
        self, size: int, method: str, *, log: bool = False, clip: float | None = None, flag: bool = False, name: str
    ) -> None:
        super().__init__(name=name, trainable=False)
        if method not in METHODS:
            raise ValueError(f"normalise '{method}'; expected one of {', '.join(METHODS)}")
        self.size = size
        self.method = method
        self.log = log
        self.bound = BOUND if clip is None else clip
        self.flag = flag
        self.shift = self.add_weight(name="shift", shape=(size,), initializer="zeros", trainable=False)
        self.scale = self.add_weight(name="scale", shape=(size,), initializer="zeros", trainable=False)

    def set_statistics(self, statistics: NDArray[np.float64]) -> None:
        """Take the statistics of past days, float64 ``[5, size]``."""
        count = statistics[COUNT]
        if self.method == "zscore":
            shift = statistics[MEAN]
            spread = np.sqrt(np.divide(statistics[SQUARES], count, out=np.zeros_like(count), where=count > 0))
        else:
            shift = statistics[LOWEST]
            spread = statistics[HIGHEST] - statistics[LOWEST]
        # A spread that is lost in the rounding of the values themselves is none.
        real = spread > 1e-7 * np.maximum(np.abs(statistics[LOWEST]), np.abs(statistics[HIGHEST]))
        scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=real)
        self.shift.assign(shift.astype(np.float32))
        self.scale.assign(np.minimum(scale, np.finfo(np.float32).max).astype(np.float32))

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """``[..., size]`` to the same shape, or with flags to ``[..., 2 size]``; always finite."""
        known = tf.math.is_finite(values)
        values = tf.where(known, values, 0.0)
        if self.log:
            values = tf.sign(values) * tf.math.log1p(tf.abs(values))
        if self.method != "none":
            normal = tf.clip_by_value((values - self.shift) * self.scale, -self.bound, self.bound)
            values = tf.where(known, normal, 0.0)
        return tf.concat([values, tf.cast(~known, values.dtype)], axis=-1) if self.flag else values
