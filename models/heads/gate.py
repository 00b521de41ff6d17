"""What each of several experts weighs for a task."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from models.architecture import Axes, Segments


class Gate(keras.layers.Layer):
    """``softmax(x W)`` over experts, of what is known of a request and of each candidate; no bias.

    Attributes:
        reads: what the values of ``[request, item]`` are of, as the model says when it calls.
    """

    reads: Segments = ()

    def __init__(self, experts: int, *, name: str) -> None:
        super().__init__(name=name)
        self.experts = experts
        self.kernel_initializer = keras.initializers.GlorotUniform()

    def build(self, request_shape: tuple[int | None, ...], item_shape: tuple[int | None, ...]) -> None:
        self.request_width = int(request_shape[-1] or 0)
        shape = (self.request_width + int(item_shape[-1] or 0), self.experts)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=self.kernel_initializer)
        self.built = True

    @property
    def weight_axes(self) -> dict[str, Axes]:
        """Of the kernel's rows, if the model says what it reads."""
        return {"kernel": (self.reads, None)} if self.reads else {}

    def call(self, request: tf.Tensor, item: tf.Tensor) -> tf.Tensor:
        """``request [batch, values]`` and ``item [batch, candidates, values]`` to ``[batch, candidates, experts]``."""
        kernel = tf.convert_to_tensor(self.kernel)
        told = tf.tensordot(item, kernel[self.request_width :], 1)
        if self.request_width:  # TensorFlow's compiler aborts at the gradient of a product over nothing
            told = told + tf.matmul(request, kernel[: self.request_width])[:, None, :]
        return tf.nn.softmax(told, axis=-1)


def mixed(shares: tf.Tensor, experts: Sequence[tf.Tensor]) -> tf.Tensor:
    """Experts, ``[batch, candidates, values]`` each, by what they weigh, ``[batch, candidates, experts]``."""
    return tf.reduce_sum(shares[..., None] * tf.stack(list(experts), axis=-2), axis=-2)


def use_of(shares: tf.Tensor, real: tf.Tensor | None) -> tf.Tensor:
    """``[experts]``: the mean share of each over the candidates that are any, bool ``real [batch, candidates]``."""
    some = tf.ones_like(shares[..., :1]) if real is None else tf.cast(real, shares.dtype)[..., None]
    return tf.reduce_sum(shares * some, axis=(0, 1)) / tf.maximum(tf.reduce_sum(some), 1.0)
