"""Explicit crosses of bounded order: DCN's, a weight a value and layer, and DCN-V2's, a matrix a layer."""

from __future__ import annotations

import keras
import tensorflow as tf

from models.architecture import Axes, Segments


class Cross(keras.layers.Layer):
    """``x_{l+1} = x_0 (x_l · w_l) + b_l + x_l``.

    Every ``x_l`` is a multiple of ``x_0`` plus what is of the biases alone, so that one product of ``x_0`` with all
    ``w_l`` is enough.

    Args:
        layers: how many; the order of the crosses is one more.

    Attributes:
        reads: what the values are of, as the model says when it calls.

    Reference: Wang et al., Deep & Cross Network for Ad Click Predictions, 2017.
    """

    reads: Segments = ()

    def __init__(self, layers: int, *, name: str) -> None:
        super().__init__(name=name)
        self.layers = layers
        self.kernel_initializer = keras.initializers.GlorotUniform()

    def build(self, shape: tuple[int | None, ...]) -> None:
        weights = (self.layers, shape[-1])
        self.kernel = self.add_weight(name="kernel", shape=weights, initializer=self.kernel_initializer)
        self.bias = self.add_weight(name="bias", shape=weights, initializer="zeros")
        self.built = True

    @property
    def weight_axes(self) -> dict[str, Axes]:
        """Of the columns, if the model says what it reads."""
        return {"kernel": (None, self.reads), "bias": (None, self.reads)} if self.reads else {}

    def call(self, x0: tf.Tensor) -> tf.Tensor:
        """``[…, values]`` to the same shape."""
        kernel, bias = tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.bias)
        products = tf.tensordot(x0, kernel, [[-1], [-1]])
        times = tf.ones_like(x0[..., :1])
        plus = tf.zeros_like(bias[0])
        for layer in range(self.layers):
            of_biases = tf.reduce_sum(plus * kernel[layer])
            times += times * products[..., layer : layer + 1] + of_biases
            plus += bias[layer]
        return x0 * times + plus


class MatrixCross(keras.layers.Layer):
    """One layer of DCN-V2, ``x_0 · (x W + b) + x``, with a whole matrix ``W`` or one of low rank, ``down up``.

    Args:
        rank: of the matrix; ``None`` for a whole one.

    Attributes:
        reads: what the values are of, as the model says when it calls.

    Reference: Wang et al., DCN V2: Improved Deep & Cross Network and Practical Lessons for Web-scale Learning to Rank
    Systems, 2021. The mixture of several matrices of low rank is not here.
    """

    reads: Segments = ()

    def __init__(self, rank: int | None, *, name: str) -> None:
        super().__init__(name=name)
        self.rank = rank
        self.kernel_initializer = keras.initializers.GlorotUniform()

    def build(self, x0_shape: tuple[int | None, ...], x_shape: tuple[int | None, ...]) -> None:
        width = int(x0_shape[-1] or 0)
        drawn = self.kernel_initializer
        if self.rank is None:
            self.kernel = self.add_weight(name="kernel", shape=(width, width), initializer=drawn)
        else:
            self.down = self.add_weight(name="down", shape=(width, self.rank), initializer=drawn)
            self.up = self.add_weight(name="up", shape=(self.rank, width), initializer=drawn)
        self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros")
        self.built = True

    @property
    def weight_axes(self) -> dict[str, Axes]:
        """Of rows and columns, if the model says what it reads."""
        if not self.reads:
            return {}
        bias: dict[str, Axes] = {"bias": (self.reads,)}
        if self.rank is None:
            return bias | {"kernel": (self.reads, self.reads)}
        return bias | {"down": (self.reads, None), "up": (None, self.reads)}

    def call(self, x0: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        """``[…, values]`` twice to the same shape."""
        crossed = tf.tensordot(x, self.kernel, 1) if self.rank is None else tf.tensordot(
            tf.tensordot(x, self.down, 1), self.up, 1
        )  # fmt: skip
        return x0 * (crossed + self.bias) + x
