"""What the losses of tasks weigh, learnt beside them."""

from __future__ import annotations

import keras
import tensorflow as tf


class Uncertainty(keras.layers.Layer):
    """A loss ``L`` becomes ``e⁻ˢ L + s/2``: a number ``s`` a task, 0 at first, the logarithm of how uncertain it is.

    Reference: Kendall et al., Multi-Task Learning Using Uncertainty to Weigh Losses, 2018.
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.log_variance = self.add_weight(name="log_variance", shape=(shape[-1],), initializer="zeros")
        self.built = True

    def call(self, scores: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Of ``scores [..., tasks]``: what each task's loss weighs, ``[tasks]``, and what that costs, a scalar."""
        log_variance = tf.convert_to_tensor(self.log_variance)
        return tf.exp(-log_variance), 0.5 * tf.reduce_sum(log_variance)
