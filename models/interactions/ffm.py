"""The field-aware factorisation machine's second order."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def field_aware(vectors: tf.Tensor) -> tf.Tensor:
    """``[…, fields, fields, factors]``, of each field a vector for each other one, to ``[…, factors]``: the products of
    the vector that one has for the other and the one that the other has for it, of all pairs. Their sum is the second
    order.

    Reference: Juan et al., Field-aware Factorization Machines for CTR Prediction, 2016, without its division by the
    length of a row.
    """
    count, factors = int(vectors.shape[-2]), int(vectors.shape[-1])
    rows = tf.reshape(vectors, (-1, count, count, factors))
    once = np.triu(np.ones((count, count), np.float32), 1)[:, :, None]
    told = tf.reduce_sum(rows * tf.transpose(rows, (0, 2, 1, 3)) * once, axis=(1, 2))
    return tf.reshape(told, (*tf.unstack(tf.shape(vectors))[:-3], factors))
