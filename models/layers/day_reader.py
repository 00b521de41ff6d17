"""The ids of each day read one after another."""

from __future__ import annotations

import keras
import tensorflow as tf

from models.layers.gru import Bidirectional


def check_even(space: str, width: int) -> None:
    """Whether days of ids of a width can be read both ways; raises ``ValueError``."""
    if width % 2:
        raise ValueError(
            f"option 'day_values': 'rnn' reads days both ways, by two units of half the width of an id, and '{space}' "
            f"is {width} wide; give it an even one (`dims`)"
        )


class DayReader(keras.layers.Layer):
    """What two plain recurrent units end with, one over a day's values and one over these turned round: as wide as a
    value, the same for all days; zero of a day without any.

    Reference: Schuster and Paliwal, Bidirectional Recurrent Neural Networks, 1997.
    """

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)
        self.both = Bidirectional(None, "none", name=name)

    def build(self, days_shape: tuple[int | None, ...], *_: object) -> None:
        self.both.build((None, None, days_shape[-1]))
        self.built = True

    def call(self, days: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """``days [batch, days, values, dim]`` and bool ``mask [batch, days, values]`` to ``[batch, days, dim]``."""
        shape, dim = tf.shape(days), int(days.shape[-1])
        rows = shape[0] * shape[1]
        _, ends = self.both(tf.reshape(days, (rows, shape[2], dim)), tf.reshape(mask, (rows, shape[2])))
        return tf.reshape(ends, (shape[0], days.shape[1] or shape[1], dim))
