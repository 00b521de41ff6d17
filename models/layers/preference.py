"""What is known of who somebody is, or which thing something is, beside what they are like."""

from __future__ import annotations

from typing import Literal

import keras
import tensorflow as tf

from models.randomness import uniform

Instead = Literal["zeros", "mean"]
"""What stands for a preference that is not there."""


class Preference(keras.layers.Layer):
    """Preference vectors of which a training step drops a share: of a row all together, so that the rest learns to do
    without. Nothing is rescaled, and one that is not known is as a dropped one.

    Args:
        share: of the rows, from 0 to below 1.
        instead: of what is not there: zeros, or the mean of those that are.
        momentum: share of the moving mean that a training step keeps.

    Reference: Volkovs et al., DropoutNet: Addressing Cold Start in Recommender Systems, 2017, which has zeros in
    training and, for who is new, the mean where he is asked for.
    """

    def __init__(self, share: float, instead: Instead = "zeros", momentum: float = 0.99, *, name: str) -> None:
        super().__init__(name=name)
        self.share = share
        self.instead = instead
        self.momentum = momentum

    def build(self, vectors_shape: tuple[int | None, ...], *_: object) -> None:
        if self.instead == "mean":
            shape = (int(vectors_shape[-1] or 0),)
            self.moving_mean = self.add_weight(name="moving_mean", shape=shape, initializer="zeros", trainable=False)
        self.built = True

    def call(self, vectors: tf.Tensor, known: tf.Tensor, training: bool = False) -> tf.Tensor:
        """``vectors [..., dim]`` to the same shape; bool ``known [..., dim]`` says which values there are."""
        if training and self.share:
            kept = uniform(self.name, tf.shape(vectors[..., :1])) >= self.share
        else:
            kept = tf.ones_like(vectors[..., :1], tf.bool)
        if self.instead == "zeros":
            return tf.where(kept & known, vectors, 0.0)
        mean = tf.convert_to_tensor(self.moving_mean)
        if training:
            axes = list(range(vectors.shape.rank - 1))
            count = tf.reduce_sum(tf.cast(known, vectors.dtype), axis=axes)
            now = tf.reduce_sum(tf.where(known, vectors, 0.0), axis=axes) / tf.maximum(count, 1.0)
            mean = tf.where(count > 0, self.momentum * mean + (1.0 - self.momentum) * tf.stop_gradient(now), mean)
            self.moving_mean.assign(mean)
        return tf.where(kept & known, vectors, mean)
