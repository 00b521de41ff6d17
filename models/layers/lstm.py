"""Long short-term memory over steps, both ways."""

from __future__ import annotations

import keras
import tensorflow as tf

_WAYS = ("forwards", "backwards")


class BidirectionalLSTM(keras.layers.Layer):
    """Two LSTMs of Keras', the second from the last step to the first; each skips masked steps.

    Where Keras' ``Bidirectional`` writes zeros at masked steps, the states are kept here.

    Args:
        units: width of each of the two states; by default that of a step.

    Reference: Hochreiter and Schmidhuber, Long Short-Term Memory, 1997.
    """

    def __init__(self, units: int | None, *, name: str) -> None:
        super().__init__(name=name)
        self.units = units
        # Of this layer, not of those within: so they are drawn by their names, in whatever order these are made.
        for way in _WAYS:
            setattr(self, f"{way}_initializer", keras.initializers.GlorotUniform())
            setattr(self, f"{way}_recurrent_initializer", keras.initializers.Orthogonal())

    def build(self, steps_shape: tuple[int | None, ...], *_: object) -> None:
        units = int(steps_shape[-1] or 0) if self.units is None else self.units
        self.ways = [
            keras.layers.LSTM(
                units,
                return_sequences=True,
                kernel_initializer=getattr(self, f"{way}_initializer"),
                recurrent_initializer=getattr(self, f"{way}_recurrent_initializer"),
                name=f"{self.name}_{way}",
            )
            for way in _WAYS
        ]
        for way in self.ways:
            way.build(steps_shape)
        self.built = True

    def call(self, steps: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """``steps [batch, steps, dim]`` and bool ``mask [batch, steps]`` to both states of each step, ``[batch, steps,
        units]``; zero where none has begun."""
        forwards, backwards = self.ways
        behind = backwards(tf.reverse(steps, [1]), mask=tf.reverse(mask, [1]))
        return forwards(steps, mask=mask), tf.reverse(behind, [1])
