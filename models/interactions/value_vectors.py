"""Floats as fields: a learnt vector a value."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from models.architecture import Axes, Segments, joined

Sides = tuple[tuple[Segments, ...], tuple[Segments, ...]]
"""Of the request and of a candidate: of each field, of what its values are."""


class ValueVectors(keras.layers.Layer):
    """A field is the sum of its values, each times a learnt vector: a dense feature with all of its columns and flags,
    or a history that is read as more or fewer values than a field has. The vectors are zero at first.

    Attributes:
        fields: of what the fields are made, as the model says when it calls.
        width: of the vectors, likewise.
        columns: of what the values of a vector are, where that is a matter of the features.
    """

    fields: Sides = ((), ())
    width: int = 0
    columns: Segments | None = None

    def build(self, request_shape: tuple[int | None, ...], item_shape: tuple[int | None, ...]) -> None:
        self.request_width = int(request_shape[-1] or 0)
        rows = self.request_width + int(item_shape[-1] or 0)
        self.kernel = self.add_weight(name="kernel", shape=(rows, self.width), initializer="zeros")
        self.built = True

    @property
    def weight_axes(self) -> dict[str, Axes]:
        """Of the kernel's rows, one a value; none where no field is made of values."""
        if not self.built:
            return {}
        return {"kernel": (joined(field for side in self.fields for field in side), self.columns)}

    def call(self, request: tf.Tensor, item: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """``[batch, values]`` and ``[batch, candidates, values]`` to the fields side by side, ``[…, fields ·
        width]``."""
        kernel = tf.convert_to_tensor(self.kernel)
        of_request, of_item = self.fields
        return (
            self._vectors(request, kernel[: self.request_width], of_request),
            self._vectors(item, kernel[self.request_width :], of_item),
        )

    def _vectors(self, values: tf.Tensor, kernel: tf.Tensor, fields: tuple[Segments, ...]) -> tf.Tensor:
        """By one product with a matrix of blocks, a field's rows in its own columns."""
        if not fields:
            return values
        sizes = [sum(size for _, size in field) for field in fields]
        own = np.repeat(np.eye(len(sizes), dtype=np.float32), sizes, axis=0)
        blocks = tf.reshape(own[:, :, None] * kernel[:, None, :], (sum(sizes), len(sizes) * self.width))
        return tf.tensordot(values, blocks, 1)
