"""Hidden layers that something else than a score stands on."""

from __future__ import annotations

import keras
import tensorflow as tf

from models.architecture import Segments
from models.layers.dice import Dice
from models.layers.dropout import Dropout
from models.layers.tower import Tower


class Hidden(keras.layers.Layer):
    """The layers of a :class:`Tower` of which the last is a hidden one too.

    Args:
        units: widths of the layers, one at least.
        activation: of all of them, or ``dice``.
        dropout: share of each layer's values that a training step leaves out.
    """

    def __init__(self, units: tuple[int, ...], activation: str, dropout: float = 0.0, *, name: str) -> None:
        super().__init__(name=name)
        self.layers = Tower(units[:-1], activation, dropout, scores=units[-1], name=f"{name}_layers")
        self.activation = Dice(name=f"{name}_dice") if activation == "dice" else keras.activations.get(activation)
        self.dropout = Dropout(dropout, name=f"{name}_dropout")

    def build(self, request_shape: tuple[int | None, ...], item_shape: tuple[int | None, ...]) -> None:
        self.layers.build(request_shape, item_shape)
        self.built = True

    def call(
        self, request: tf.Tensor, item: tf.Tensor, real: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """``request [batch, values]`` and ``item [batch, candidates, values]`` to ``[batch, candidates, units]``; bool
        ``real [batch, candidates]`` says in training which are any."""
        hidden = self.layers(request, item, real, training=training)
        if isinstance(self.activation, Dice):
            return self.dropout(self.activation(hidden, real, training=training), training=training)
        return self.dropout(self.activation(hidden), training=training)

    def reading(self, reads: Segments) -> Hidden:
        """Itself, told what the values of ``[request, item]`` are of."""
        self.layers.reads = reads
        return self
