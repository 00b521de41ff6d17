"""A symmetric matrix for every pair of fields."""

from __future__ import annotations

from math import sqrt

import keras
import tensorflow as tf

from models.architecture import Axes, Segments


class FieldPairs(keras.layers.Layer):
    """``v_i (U + Uᵀ) v_j`` with a ``U`` of its own for every pair of fields, as wide as they are.

    Field by field: one product with all matrices of a field and those after it, so that nothing is as large as pairs
    times width squared but the weights.

    Attributes:
        reads: the pairs in order, as the model says when it calls.

    Reference: Pande, Field-Embedded Factorization Machines for Click-through rate prediction, 2020.
    """

    reads: Segments = ()

    def build(self, shape: tuple[int | None, ...]) -> None:
        fields, width = int(shape[-2] or 0), int(shape[-1] or 0)
        limit = sqrt(3 / width) / 2
        drawn = keras.initializers.RandomUniform(-limit, limit)
        pairs = fields * (fields - 1) // 2
        self.kernel = self.add_weight(name="kernel", shape=(pairs, width, width), initializer=drawn)
        self.built = True

    @property
    def weight_axes(self) -> dict[str, Axes]:
        """Of the pairs, if the model says which they are."""
        return {"kernel": (self.reads, None, None)} if self.reads else {}

    def call(self, fields: tf.Tensor) -> tf.Tensor:
        """``[…, fields, width]`` to ``[…, pairs]``: (0, 1), (0, 2), …, (1, 2), …"""
        count, width = int(fields.shape[-2]), int(fields.shape[-1])
        after = tf.reshape(fields, (-1, count, width))
        matrices = self.kernel + tf.linalg.matrix_transpose(self.kernel)
        pairs = []
        for each in tf.split(matrices, list(range(count - 1, 0, -1))):
            # Split one by one: the gradients of slices of all fields would be as many sums as wide as all fields.
            one, after = tf.split(after, [1, int(each.shape[0])], axis=1)
            pairs.append(tf.reduce_sum(self._by_all(one[:, 0], each) * after, axis=-1))
        return tf.reshape(tf.concat(pairs, axis=-1), (*tf.unstack(tf.shape(fields))[:-2], int(self.kernel.shape[0])))

    @staticmethod
    def _by_all(vectors: tf.Tensor, matrices: tf.Tensor) -> tf.Tensor:
        """``[rows, width]`` by ``[others, width, width]``, each symmetric, to ``[rows, others, width]``."""
        others, width, _ = matrices.shape
        made = tf.matmul(vectors, tf.reshape(matrices, (others * width, width)), transpose_b=True)
        return tf.reshape(made, (-1, others, width))
