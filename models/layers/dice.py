"""An activation whose bend follows the values that it is given."""

from __future__ import annotations

import keras
import tensorflow as tf


class Dice(keras.layers.Layer):
    """``y = p·x + (1 - p)·a·x`` with ``p = σ((x - mean) / √(variance + epsilon))``, ``a`` learnt by channel.

    In training mean and variance (divided by how many there are) are those of the batch's real values, and the gradient
    goes through them; after it they are the moving ones, so that no score hangs on what else is asked.

    Args:
        epsilon: beside the variance.
        momentum: share of a moving statistic that a training step keeps.

    Reference: Zhou et al., Deep Interest Network for Click-Through Rate Prediction, 2018; its authors' code has the
    statistics of the batch where it scores, too.
    """

    def __init__(self, epsilon: float = 1e-8, momentum: float = 0.99, *, name: str) -> None:
        super().__init__(name=name)
        self.epsilon = epsilon
        self.momentum = momentum

    def build(self, values_shape: tuple[int | None, ...], *_: object) -> None:
        shape = (int(values_shape[-1] or 0),)
        self.alpha = self.add_weight(name="alpha", shape=shape, initializer="zeros")
        self.moving_mean = self.add_weight(name="moving_mean", shape=shape, initializer="zeros", trainable=False)
        self.moving_variance = self.add_weight(name="moving_variance", shape=shape, initializer="ones", trainable=False)
        self.built = True

    def call(self, values: tf.Tensor, real: tf.Tensor | None = None, training: bool = False) -> tf.Tensor:
        """``values [..., dim]`` to the same shape; zero where bool ``real [...]`` says that there is none."""
        there = tf.ones_like(values[..., :1]) if real is None else tf.cast(real, values.dtype)[..., None]
        if training:
            mean, variance = self.statistics(values, there)
            for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
                old = tf.convert_to_tensor(moving)
                moving.assign(tf.where(tf.reduce_any(there > 0), self.momentum * old + (1 - self.momentum) * now, old))
        else:
            mean, variance = (tf.convert_to_tensor(each) for each in (self.moving_mean, self.moving_variance))
        share = tf.sigmoid((values - mean) / tf.sqrt(variance + self.epsilon))
        return (share + (1.0 - share) * self.alpha) * values * there

    def statistics(self, values: tf.Tensor, real: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean and variance of the values that ``real [..., 1]`` marks, ``[dim]``; zero where there are none."""
        axes = list(range(values.shape.rank - 1))
        count = tf.maximum(tf.reduce_sum(real), 1.0)
        mean = tf.reduce_sum(values * real, axis=axes) / count
        return mean, tf.reduce_sum(tf.square(values - mean) * real, axis=axes) / count
