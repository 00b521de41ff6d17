"""A target as steps see it."""

from __future__ import annotations

import keras
import tensorflow as tf

from models.architecture import Axes, Segments


class Query(keras.layers.Layer):
    """A target through a layer as wide as the steps that it is to attend to, ``PReLU(q W + b)``.

    Attributes:
        reads: what the values of a target are of, as the encoder says when it calls.

    Reference: the code of Zhou et al., Deep Interest Evolution Network for Click-Through Rate Prediction, 2019.
    """

    reads: Segments = ()

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)
        self.kernel_initializer = keras.initializers.GlorotUniform()

    def build(self, target_shape: tuple[int | None, ...], steps_shape: tuple[int | None, ...]) -> None:
        width = int(steps_shape[-1] or 0)
        shape = (int(target_shape[-1] or 0), width)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=self.kernel_initializer)
        self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros")
        self.slope = self.add_weight(name="slope", shape=(width,), initializer="zeros")
        self.built = True

    @property
    def weight_axes(self) -> dict[str, Axes]:
        """Of the kernel's rows, if the encoder says what a target is of."""
        return {"kernel": (self.reads, None)} if self.reads else {}

    def call(self, target: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """``target [batch, candidates, of]`` to ``[batch, candidates, dim]`` for ``steps [batch, steps, dim]``."""
        query = tf.tensordot(target, tf.convert_to_tensor(self.kernel), 1) + self.bias
        return tf.maximum(query, 0.0) + self.slope * tf.minimum(query, 0.0)
