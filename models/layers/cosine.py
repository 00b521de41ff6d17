"""Two vectors whose inner product is their cosine by a learnt temperature."""

from __future__ import annotations

import keras
import tensorflow as tf

from models.outputs import ITEM


class Cosine(keras.layers.Layer):
    """``cos(u, v) / temperature + bias`` as an inner product, of what each side makes by itself.

    Args:
        temperature: that a new chain begins with, above 0.
    """

    def __init__(self, temperature: float, *, name: str) -> None:
        super().__init__(name=name)
        self.initializer = keras.initializers.Constant(tf.math.log(temperature).numpy())

    def build(self, *_: object) -> None:
        # Its logarithm, so that no step takes it below 0.
        self.log_temperature = self.add_weight(name="log_temperature", shape=(1,), initializer=self.initializer)
        self.bias = self.add_weight(name="bias", shape=(1,), initializer="zeros")
        self.built = True

    def call(self, vectors: tf.Tensor, *, of: str) -> tf.Tensor:
        """``[..., dim]`` of a ``user`` or an ``item`` to ``[..., dim + 1]``: a direction, as long as the temperature
        asks for, and the bias; or a direction, and 1."""
        if of == ITEM:
            return tf.concat([unit(vectors), tf.ones_like(vectors[..., :1])], axis=-1)
        scaled = unit(vectors) * tf.exp(-tf.convert_to_tensor(self.log_temperature))
        return tf.concat([scaled, tf.zeros_like(scaled[..., :1]) + self.bias], axis=-1)


def unit(vectors: tf.Tensor) -> tf.Tensor:
    """``[..., dim]`` at length 1, zero where they are zero."""
    return tf.math.l2_normalize(vectors, axis=-1, epsilon=1e-12)
