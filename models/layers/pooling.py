"""Pooling of several embedded values into one vector."""

from __future__ import annotations

from typing import Literal, get_args

import tensorflow as tf

Pooling = Literal["sum", "mean"]
Readout = Literal["sum", "mean", "last"]
"""What one vector is made of the steps of a history, or of what a layer makes of each."""


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


def read_out(steps: tf.Tensor, mask: tf.Tensor, how: str) -> tf.Tensor:
    """Sum or mean of the real steps, or the last of them; zero where there are none.

    Args:
        steps: ``[batch, steps, dim]``, oldest first.
        mask: bool ``[batch, steps]``.
        how: ``sum``, ``mean`` or ``last``.

    Returns:
        ``[batch, dim]``.
    """
    if how not in get_args(Readout):
        raise ValueError(f"readout '{how}'; expected one of {', '.join(get_args(Readout))}")
    if how != "last":
        return pool(steps, mask, how)
    length = tf.shape(steps)[1]
    last = tf.reduce_max(tf.where(mask, tf.range(length), -1), axis=1)
    return tf.reduce_sum(tf.where(tf.one_hot(last, length, True, False)[..., None], steps, 0.0), axis=1)


def read_out_so_far(steps: tf.Tensor, mask: tf.Tensor, how: str) -> tf.Tensor:
    """After each step what :func:`read_out` makes of the steps up to it; zero before the first.

    Returns:
        ``[batch, steps, dim]``.
    """
    if how not in get_args(Readout):
        raise ValueError(f"readout '{how}'; expected one of {', '.join(get_args(Readout))}")
    real = tf.cast(mask, steps.dtype)[..., None]
    if how == "last":
        length = tf.shape(steps)[1]
        # The newest step at or before each; -1 before the first.
        last = tf.reduce_max(
            tf.where(mask[:, None, :] & (tf.range(length) <= tf.range(length)[:, None]), tf.range(length), -1), axis=2
        )
        return tf.where(last[..., None] >= 0, tf.gather(steps, tf.maximum(last, 0), axis=1, batch_dims=1), 0.0)
    total = tf.cumsum(tf.where(mask[..., None], steps, 0.0), axis=1)
    return total if how == "sum" else total / tf.maximum(tf.cumsum(real, axis=1), 1.0)
