"""A vector that may be missing as a whole."""

from __future__ import annotations

import tensorflow as tf


def with_flag(vector: tf.Tensor) -> tf.Tensor:
    """``[…, size]`` to ``[…, size + 1]``: the vector and 0, or zeros and 1 where a value of it is not a number."""
    known = tf.reduce_all(tf.math.is_finite(vector), axis=-1, keepdims=True)
    return tf.concat([tf.where(known, vector, 0.0), tf.cast(~known, vector.dtype)], axis=-1)
