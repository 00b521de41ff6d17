"""Rows in the order of their last real step, so that those that end early can be left early."""

from __future__ import annotations

import tensorflow as tf


def last_real(mask: tf.Tensor) -> tf.Tensor:
    """The number of steps up to the last real one, ``[batch]``, of bool ``mask [batch, steps]``."""
    return tf.reduce_max(tf.where(mask, tf.range(1, tf.shape(mask)[1] + 1), 0), axis=1)


def in_order(rows: tf.Tensor, order: tf.Tensor, back: tf.Tensor) -> tf.Tensor:
    """Rows in another order, whose gradient is put ``back`` by reading: a scatter would add row by row."""

    @tf.custom_gradient
    def ordered(rows: tf.Tensor) -> object:
        return tf.gather(rows, order), lambda wanted: tf.gather(wanted, back)

    return ordered(rows)
