"""AutoInt's attention of each field over all fields."""

from __future__ import annotations

import keras
import tensorflow as tf

_MASKED = -1e9


class Interacting(keras.layers.Layer):
    """``relu([head_1, …] + x W)``, each head ``softmax(q · k) v`` over the fields, not scaled.

    Args:
        width: of what a field becomes, all heads side by side.
        heads: by which the width is divided.

    Raises:
        ValueError: it cannot be.

    Reference: Song et al., AutoInt: Automatic Feature Interaction Learning via Self-Attentive Neural Networks, 2019.
    """

    def __init__(self, width: int, heads: int, *, name: str) -> None:
        super().__init__(name=name)
        if width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}")
        self.width = width
        self.heads = heads
        self.kernel_initializer = keras.initializers.GlorotUniform()

    def build(self, fields_shape: tuple[int | None, ...], real_shape: tuple[int | None, ...]) -> None:
        self.query, self.key, self.value, self.residual = (
            self.add_weight(name=name, shape=(fields_shape[-1], self.width), initializer=self.kernel_initializer)
            for name in ("query", "key", "value", "residual")
        )
        self.built = True

    def call(self, fields: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
        """``fields […, fields, values]`` and bool ``real […, fields]``, false where there is nothing in one, which is
        then attended by none, to ``[…, fields, width]``."""
        query, key, value = (
            tf.split(tf.tensordot(fields, weight, 1), self.heads, axis=-1)
            for weight in (self.query, self.key, self.value)
        )
        nothing = tf.where(real, 0.0, _MASKED)[..., None, :]
        heads = [
            tf.matmul(tf.nn.softmax(tf.matmul(q, k, transpose_b=True) + nothing, axis=-1), v)
            for q, k, v in zip(query, key, value, strict=True)
        ]
        return tf.nn.relu(tf.concat(heads, axis=-1) + tf.tensordot(fields, self.residual, 1))
