"""DLRM's inner products of all pairs of vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def pair_names(names: Sequence[str], *, with_self: bool) -> tuple[str, ...]:
    """Of the products, in order; alike whichever of the two comes first."""
    return tuple(" . ".join(sorted((names[i], names[j]))) for i, j in _pairs(len(names), with_self))


def pair_products(vectors: tf.Tensor, *, with_self: bool) -> tf.Tensor:
    """``[…, fields, width]`` to ``[…, pairs]``: those of each field with the ones before it (and itself), field by
    field.

    Reference: Naumov et al., Deep Learning Recommendation Model for Personalization and Recommendation Systems, 2019.
    """
    count = int(vectors.shape[-2])
    products = tf.matmul(vectors, vectors, transpose_b=True)
    flat = tf.reshape(products, (*tf.unstack(tf.shape(products))[:-2], count * count))
    return _picked(flat, [i * count + j for i, j in _pairs(count, with_self)])


def _pairs(count: int, with_self: bool) -> list[tuple[int, int]]:
    return [(i, j) for i in range(count) for j in range(i + with_self)]


def _picked(values: tf.Tensor, places: list[int]) -> tf.Tensor:
    """Some of the values ``[…, values]``, each once; its gradient is picked too, where that of a gather adds up."""
    back = np.full(int(values.shape[-1]), len(places))
    back[places] = np.arange(len(places))

    @tf.custom_gradient
    def pick(given: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            return tf.gather(tf.concat([upstream, tf.zeros_like(upstream[..., :1])], axis=-1), back, axis=-1)

        return tf.gather(given, places, axis=-1), gradient

    return pick(values)


class AsWide(keras.layers.Layer):
    """A dense layer that is as wide as the fields beside it.

    Attributes:
        width: of the fields, as the model says when it calls.
    """

    width: int = 0

    def __init__(self, activation: str, *, name: str) -> None:
        super().__init__(name=name)
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.GlorotUniform()

    def build(self, shape: tuple[int | None, ...]) -> None:
        weights = (shape[-1], self.width)
        self.kernel = self.add_weight(name="kernel", shape=weights, initializer=self.kernel_initializer)
        self.bias = self.add_weight(name="bias", shape=(self.width,), initializer="zeros")
        self.built = True

    def call(self, values: tf.Tensor) -> Any:
        """``[…, values]`` to ``[…, width]``."""
        return self.activation(tf.tensordot(values, self.kernel, 1) + self.bias)
