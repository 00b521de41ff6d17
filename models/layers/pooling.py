"""Pooling of several embedded values into one vector."""

from __future__ import annotations

from typing import Literal, get_args

import tensorflow as tf

Pooling = Literal["sum", "mean"]


def pool(vectors: tf.Tensor, mask: tf.Tensor, how: str) -> tf.Tensor:
    """Sum or mean of the real values; zero where there are none.

    Args:
        vectors: ``[..., values, dim]``.
        mask: bool ``[..., values]``, true for a real value.
        how: ``sum`` or ``mean``.

    Returns:
        ``[..., dim]``.
    """
    if how not in get_args(Pooling):
        raise ValueError(f"pooling '{how}'; expected one of {', '.join(get_args(Pooling))}")
    real = tf.cast(mask, vectors.dtype)
    total = tf.reduce_sum(vectors * real[..., None], axis=-2)
    if how == "sum":
        return total
    return total / tf.maximum(tf.reduce_sum(real, axis=-1, keepdims=True), 1.0)
