"""Dropout whose draws depend on seed and step alone: a chain that was killed and resumed is bit-equal."""

from __future__ import annotations

import keras
import tensorflow as tf

from models.randomness import uniform


class Dropout(keras.layers.Layer):
    """In training a share ``rate`` of the values is zero and the others are divided by ``1 - rate``.

    Args:
        rate: from 0, which changes nothing, to below 1.

    Reference: Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014.
    """

    def __init__(self, rate: float, *, name: str) -> None:
        super().__init__(name=name)
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"dropout rate {rate}; expected a number from 0 to below 1")
        self.rate = rate

    def call(self, values: tf.Tensor, training: bool = False) -> tf.Tensor:
        """``[...]`` to the same shape."""
        if not training or not self.rate:
            return values
        kept = uniform(self.name, tf.shape(values)) >= self.rate
        return tf.where(kept, values / (1.0 - self.rate), 0.0)
