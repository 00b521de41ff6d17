"""Hidden layers that something else than a score stands on."""

from __future__ import annotations

import keras
import tensorflow as tf

from models.architecture import Segments
from models.layers.dropout import Dropout
from models.layers.tower import Tower


class Hidden(keras.layers.Layer):
    """The layers of a :class:`Tower` of which the last is a hidden one too.

    Args:
        units: widths of the layers, one at least.
        activation: of all of them.
        dropout: share of each layer's values that a training step leaves out.
    """

    def __init__(self, units: tuple[int, ...], activation: str, dropout: float = 0.0, *, name: str) -> None:
        super().__init__(name=name)
        self.layers = Tower(units[:-1], activation, dropout, scores=units[-1], name=f"{name}_layers")
        self.activation = keras.activations.get(activation)
        self.dropout = Dropout(dropout, name=f"{name}_dropout")

    def build(self, request_shape: tuple[int | None, ...], item_shape: tuple[int | None, ...]) -> None:
        self.layers.build(request_shape, item_shape)
        self.built = True

    def call(self, request: tf.Tensor, item: tf.Tensor, training: bool = False) -> tf.Tensor:
        """``request [batch, values]`` and ``item [batch, candidates, values]`` to ``[batch, candidates, units]``."""
        return self.dropout(self.activation(self.layers(request, item, training=training)), training=training)

    def reading(self, reads: Segments) -> Hidden:
        """Itself, told what the values of ``[request, item]`` are of."""
        self.layers.reads = reads
        return self
