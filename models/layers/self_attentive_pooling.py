"""Steps pooled by weights that they give themselves."""

from __future__ import annotations

import keras
import tensorflow as tf

from models.architecture import Axes, Segments


class SelfAttentivePooling(keras.layers.Layer):
    """Sums of the steps, weighted by the softmax over real steps of ``tanh(x W1 + b1) W2``, one weighting a hop.

    A history without any real step gives zero.

    Args:
        units: width of the hidden layer.
        hops: how many weightings.

    Attributes:
        reads: what the values of a step are of, as the encoder says when it calls.

    Reference: Lin et al., A Structured Self-attentive Sentence Embedding, 2017; without its penalty.
    """

    reads: Segments = ()

    def __init__(self, units: int, hops: int = 1, *, name: str) -> None:
        super().__init__(name=name)
        self.hidden = keras.layers.Dense(units, "tanh", name=f"{name}_hidden")
        self.scores = keras.layers.Dense(hops, use_bias=False, name=f"{name}_scores")

    def build(self, steps_shape: tuple[int | None, ...], *_: object) -> None:
        self.hidden.build((None, steps_shape[-1]))
        self.scores.build((None, self.hidden.units))
        self.built = True

    @property
    def kernel(self) -> keras.Variable:
        """The hidden layer's, whose rows are a step's values."""
        return self.hidden.kernel

    @property
    def weight_axes(self) -> dict[str, Axes]:
        """Of the kernel's rows, if the encoder says what a step is of."""
        return {"kernel": (self.reads, None)} if self.reads else {}

    def call(self, steps: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """``steps [batch, steps, dim]`` and bool ``mask [batch, steps]`` to ``[batch, hops, dim]``."""
        return tf.matmul(self.weigh(steps, mask), tf.where(mask[..., None], steps, 0.0), transpose_a=True)

    def weigh(self, steps: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """The weights of the steps, ``[batch, steps, hops]``; zero of what is no step."""
        real = tf.convert_to_tensor(mask)[..., None]
        weights = tf.nn.softmax(tf.where(real, self.scores(self.hidden(steps)), -1e9), axis=1)
        return tf.where(real, weights, 0.0)
