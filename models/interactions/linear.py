"""What every feature tells by itself: a weight an id, a weight a value."""

from __future__ import annotations

import keras
import tensorflow as tf

from models.architecture import Axes, Segments


class Linear(keras.layers.Layer):
    """The sum of the ids' weights, and a bias; what is of the request is added up once a request."""

    def __init__(self, scores: int, *, name: str) -> None:
        super().__init__(name=name)
        self.bias = self.add_weight(name="bias", shape=(scores,), initializer="zeros")

    def call(self, request: tf.Tensor, item: tf.Tensor) -> tf.Tensor:
        """``request [batch, ids, scores]`` and ``item [batch, candidates, ids, scores]`` to ``[batch, candidates,
        scores]``."""
        return tf.reduce_sum(item, axis=-2) + (tf.reduce_sum(request, axis=-2) + self.bias)[:, None, :]


class ValueWeights(keras.layers.Layer):
    """A weight a value, zero at first.

    Attributes:
        reads: what the values of ``[request, item]`` are of, as the model says when it calls.
    """

    reads: Segments = ()

    def __init__(self, scores: int, *, name: str) -> None:
        super().__init__(name=name)
        self.scores = scores

    def build(self, request_shape: tuple[int | None, ...], item_shape: tuple[int | None, ...]) -> None:
        self.request_width = int(request_shape[-1] or 0)
        rows = self.request_width + int(item_shape[-1] or 0)
        self.kernel = self.add_weight(name="kernel", shape=(rows, self.scores), initializer="zeros")
        self.built = True

    @property
    def weight_axes(self) -> dict[str, Axes]:
        """Of the kernel's rows, if the model says what it reads."""
        return {"kernel": (self.reads, None)} if self.built and self.reads else {}

    def call(self, request: tf.Tensor, item: tf.Tensor) -> tf.Tensor:
        """``request [batch, values]`` and ``item [batch, candidates, values]`` to ``[batch, candidates, scores]``."""
        kernel = tf.convert_to_tensor(self.kernel)
        if not self.request_width:
            return tf.tensordot(item, kernel, 1)
        of_request = tf.matmul(request, kernel[: self.request_width])[:, None, :]
        if self.request_width == kernel.shape[0]:
            return tf.broadcast_to(of_request, (*tf.unstack(tf.shape(item)[:2]), self.scores))
        return of_request + tf.tensordot(item, kernel[self.request_width :], 1)
