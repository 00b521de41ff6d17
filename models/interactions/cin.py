"""xDeepFM's compressed interaction network."""

from __future__ import annotations

from math import sqrt

import keras
import tensorflow as tf

from models.architecture import Axes, Segments


class CinLayer(keras.layers.Layer):
    """Maps ``X_n = Σ_ij W[n, i, j] X_i ∘ X⁰_j``, ``i`` over the maps of the layer before and ``j`` over the fields.

    Attributes:
        reads: the fields; ``before`` too, where the maps of the layer before are the fields themselves.
    """

    reads: Segments = ()
    before: Segments | None = None

    def __init__(self, maps: int, relu: bool, *, name: str) -> None:
        super().__init__(name=name)
        self.maps = maps
        self.relu = relu

    def build(self, x_shape: tuple[int | None, ...], x0_shape: tuple[int | None, ...]) -> None:
        shape = (self.maps, int(x_shape[-1] or 0), int(x0_shape[-1] or 0))
        limit = sqrt(6 / (shape[0] + shape[1] * shape[2]))
        drawn = keras.initializers.RandomUniform(-limit, limit)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=drawn)
        if self.relu:
            self.bias = self.add_weight(name="bias", shape=(self.maps,), initializer="zeros")
        self.built = True

    @property
    def weight_axes(self) -> dict[str, Axes]:
        """Of the fields, if the model says which they are."""
        return {"kernel": (None, self.before, self.reads)} if self.reads else {}

    def call(self, x: tf.Tensor, x0: tf.Tensor) -> tf.Tensor:
        """``[…, width, maps]`` and ``[…, width, fields]`` to ``[…, width, maps]``."""
        shape = tf.shape(x0)
        pairs = tf.reshape(x[..., :, None] * x0[..., None, :], (*tf.unstack(shape)[:-1], x.shape[-1] * x0.shape[-1]))
        kernel = tf.transpose(tf.reshape(self.kernel, (self.maps, -1)))
        found = tf.tensordot(pairs, kernel, 1)
        return tf.nn.relu(found + self.bias) if self.relu else found


class Cin(keras.layers.Layer):
    """Layer upon layer of maps, each added up over the width of a field.

    Args:
        maps: of each layer.
        split_half: of the maps of each layer but the last the first half goes on to the next one and the second half to
            the output, as in the authors' code; otherwise all do both, as in the paper.
        relu: with a bias a map, as in the authors' code; otherwise neither, as in the paper.

    Raises:
        ValueError: an odd number of maps is to be halved.

    Reference: Lian et al., xDeepFM: Combining Explicit and Implicit Feature Interactions for Recommender Systems, 2018.
    """

    def __init__(self, maps: tuple[int, ...], split_half: bool, relu: bool, *, name: str) -> None:
        super().__init__(name=name)
        odd = [count for count in maps[:-1] if count % 2]
        if split_half and odd:
            raise ValueError(f"`split_half` halves the maps of all layers but the last: {odd[0]} is odd")
        self.split_half = split_half
        self.layers = [CinLayer(count, relu, name=f"{name}_{i + 1}") for i, count in enumerate(maps)]

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.built = True

    def reading(self, fields: Segments) -> Cin:
        """Itself, told what the fields are."""
        for layer in self.layers:
            layer.reads = fields
        self.layers[0].before = fields
        return self

    @property
    def told(self) -> int:
        """Values of the output."""
        *others, last = (layer.maps for layer in self.layers)
        return last + sum(count // 2 if self.split_half else count for count in others)

    def call(self, fields: tf.Tensor) -> tf.Tensor:
        """``[…, fields, width]`` to ``[…, maps]``, layer after layer."""
        x0 = x = tf.linalg.matrix_transpose(fields)
        pooled = []
        for layer in self.layers:
            x = told = layer(x, x0)
            if self.split_half and layer is not self.layers[-1]:
                x, told = tf.split(x, 2, axis=-1)
            pooled.append(tf.reduce_sum(told, axis=-2))
        return tf.concat(pooled, axis=-1)
