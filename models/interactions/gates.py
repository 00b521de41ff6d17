"""GateNet's gates: how much of a field goes on, and of a hidden layer."""

from __future__ import annotations

from math import sqrt
from typing import Literal

import keras
import tensorflow as tf

from models.architecture import Axes, Segments

EmbeddingGates = Literal["vector", "bit", "shared"]


class EmbeddingGate(keras.layers.Layer):
    """Fields times a gate each, ``σ(e g)``: with ``vector`` a number a field, by a vector of its own; with ``bit`` a
    number a value, by a matrix of the field's own; with ``shared`` by one matrix for all fields.

    Attributes:
        reads: the fields, the request's first, as the model says when it calls.

    Reference: Huang et al., GateNet: Gating-Enhanced Deep Network for Click-Through Rate Prediction, 2020.
    """

    reads: Segments = ()

    def __init__(self, kind: EmbeddingGates, *, name: str) -> None:
        super().__init__(name=name)
        self.kind = kind

    def build(self, request_shape: tuple[int | None, ...], item_shape: tuple[int | None, ...]) -> None:
        self.request_fields, width = int(request_shape[-2] or 0), int(item_shape[-1] or 0)
        fields = self.request_fields + int(item_shape[-2] or 0)
        shape = {"vector": (fields, width), "bit": (fields, width, width), "shared": (width, width)}[self.kind]
        limit = sqrt(6 / (width + shape[-1])) if self.kind != "vector" else sqrt(6 / (width + 1))
        drawn = keras.initializers.RandomUniform(-limit, limit)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=drawn)
        self.built = True

    @property
    def weight_axes(self) -> dict[str, Axes]:
        """Of the fields, where they have gates of their own and the model says which they are."""
        if not self.reads or self.kind == "shared":
            return {}
        return {"kernel": (self.reads, *(None,) * (len(self.kernel.shape) - 1))}

    def call(self, request: tf.Tensor, item: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """``request [batch, fields, width]`` and ``item [batch, candidates, fields, width]``, each as it goes on."""
        kernel = tf.convert_to_tensor(self.kernel)
        if self.kind == "shared":
            return self._gated(request, kernel), self._gated(item, kernel)
        return (
            self._gated(request, kernel[: self.request_fields]),
            self._gated(item, kernel[self.request_fields :]),
        )

    def _gated(self, fields: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        if self.kind == "vector":
            return fields * tf.sigmoid(tf.reduce_sum(fields * kernel, axis=-1, keepdims=True))
        if self.kind == "shared":
            return fields * tf.sigmoid(tf.tensordot(fields, kernel, 1))
        return fields * tf.sigmoid(tf.einsum("...fd,fde->...fe", fields, kernel))


class HiddenGate(keras.layers.Layer):
    """A hidden layer ``a`` goes on as ``a ∘ tanh(a G)``.

    Reference: as of :class:`EmbeddingGate`.
    """

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)
        self.kernel_initializer = keras.initializers.GlorotUniform()

    def build(self, shape: tuple[int | None, ...]) -> None:
        width = shape[-1]
        self.kernel = self.add_weight(name="kernel", shape=(width, width), initializer=self.kernel_initializer)
        self.built = True

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        """``[…, units]`` to the same shape."""
        return hidden * tf.tanh(tf.tensordot(hidden, self.kernel, 1))
