"""One sum for one task; for several, each task's own weights of what is added up."""

from __future__ import annotations

import keras
import tensorflow as tf

from models.architecture import Axes, Segments


class TaskWeights(keras.layers.Layer):
    """``[…, values]`` to ``[…, scores]``: their sum where there is one score, else a weight a value and score, 1 at
    first.

    Attributes:
        reads: what the values are of, as the model says when it calls.
    """

    reads: Segments = ()

    def __init__(self, scores: int, *, name: str) -> None:
        super().__init__(name=name)
        self.scores = scores

    def build(self, shape: tuple[int | None, ...]) -> None:
        if self.scores > 1:
            self.kernel = self.add_weight(name="kernel", shape=(shape[-1], self.scores), initializer="ones")
        self.built = True

    @property
    def weight_axes(self) -> dict[str, Axes]:
        """Of the kernel's rows, where there is one and the model says what it reads."""
        return {"kernel": (self.reads, None)} if self.reads and self.scores > 1 else {}

    def call(self, values: tf.Tensor) -> tf.Tensor:
        if self.scores == 1:
            return tf.reduce_sum(values, axis=-1, keepdims=True)
        return tf.tensordot(values, self.kernel, 1)
