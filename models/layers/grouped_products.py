"""Products of rows with weights of their own by group, or with one for all: the rows of the first group come first.

Weights that all rows share are as ever, a kernel ``[inputs, units]`` and a bias ``[units]``; those of groups, which
have as many rows each, have an axis of groups before.
"""

from __future__ import annotations

import tensorflow as tf


def times(rows: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """``[rows, inputs]`` to ``[rows, units]``."""
    if kernel.shape.rank == 2:
        return tf.matmul(rows, kernel)
    return _joined(tf.matmul(_apart(rows, kernel.shape[:2]), kernel))


def times_transposed(rows: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """``[rows, units]`` to ``[rows, inputs]``: of a gradient by a product the one by what was multiplied."""
    if kernel.shape.rank == 2:
        return tf.matmul(rows, kernel, transpose_b=True)
    return _joined(tf.matmul(_apart(rows, kernel.shape[::2]), kernel, transpose_b=True))


def by_kernel(rows: tf.Tensor, gradient: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Of the ``gradient [rows, units]`` by a product the one by the kernel that ``rows [rows, inputs]`` met."""
    if kernel.shape.rank == 2:
        return tf.matmul(rows, gradient, transpose_a=True)
    return tf.matmul(_apart(rows, kernel.shape[:2]), _apart(gradient, kernel.shape[::2]), transpose_a=True)


def plus(rows: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """``[rows, units]`` and a bias."""
    return rows + bias if bias.shape.rank == 1 else _joined(_apart(rows, bias.shape) + bias[:, None])


def by_bias(gradient: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """Of the ``gradient [rows, units]`` by a sum the one by the bias."""
    if bias.shape.rank == 1:
        return tf.reduce_sum(gradient, axis=0)
    return tf.reduce_sum(_apart(gradient, bias.shape), axis=1)


def _apart(rows: tf.Tensor, shape: tf.TensorShape) -> tf.Tensor:
    """By groups; ``shape`` is their number and a row's width, which a row of a loop may not tell."""
    return tf.reshape(rows, (shape[0], -1, shape[1]))


def _joined(groups: tf.Tensor) -> tf.Tensor:
    return tf.reshape(groups, (-1, groups.shape[-1]))
