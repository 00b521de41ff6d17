"""The network on top: what is known of a request and of each candidate, to scores of each candidate."""

from __future__ import annotations

import keras
import tensorflow as tf

from models.architecture import Axes, Segments
from models.layers.dice import Dice
from models.layers.dropout import Dropout


class Tower(keras.layers.Layer):
    """A multi-layer network over ``[request, item]`` for every candidate of a request.

    The first layer is applied to the two parts apart and added up: the same function as over both together,
    but the request's part is computed once a request instead of once a candidate.

    Args:
        units: widths of the hidden layers; none gives a linear score.
        activation: of the hidden layers, or ``dice``.
        dropout: share of each hidden layer's values that a training step leaves out.
        scores: of each candidate; heads on the same hidden layers.

    Attributes:
        reads: what the values of ``[request, item]`` are of, as the model says when it calls.
    """

    reads: Segments = ()

    def __init__(
        self, units: tuple[int, ...], activation: str, dropout: float = 0.0, *, scores: int = 1, name: str
    ) -> None:
        super().__init__(name=name)
        self.dropouts = [Dropout(dropout, name=f"{name}_dropout_{i + 1}") for i in range(len(units))]
        self.widths = (*units, scores)
        # Dice stands beside the layers: it has weights, and is told what is real.
        self.dices = [Dice(name=f"{name}_dice_{i + 1}") for i in range(len(units))] if activation == "dice" else []
        plain = None if activation == "dice" else activation
        self.activation = keras.activations.get(plain)
        self.kernel_initializer = keras.initializers.GlorotUniform()
        self.rest = [
            keras.layers.Dense(n, plain if i < len(units) - 1 else None, name=f"{name}_hidden_{i + 2}")
            for i, n in enumerate(self.widths[1:])
        ]

    def build(self, request_shape: tuple[int | None, ...], item_shape: tuple[int | None, ...]) -> None:
        request, item = int(request_shape[-1] or 0), int(item_shape[-1] or 0)
        first = self.widths[0]
        # One kernel, so that it is drawn as that of one layer over both parts.
        self.kernel = self.add_weight(name="kernel", shape=(request + item, first), initializer=self.kernel_initializer)
        self.bias = self.add_weight(name="bias", shape=(first,), initializer="zeros")
        for layer, inputs in zip(self.rest, self.widths, strict=False):
            layer.build((None, inputs))
        for dice, values in zip(self.dices, self.widths, strict=False):
            dice.build((None, values))
        self.request_width = request
        self.built = True

    @property
    def output_bias(self) -> keras.Variable:
        """What every score starts from, ``[scores]``."""
        return self.rest[-1].bias if self.rest else self.bias

    @property
    def weight_axes(self) -> dict[str, Axes]:
        """Of the kernel's rows, if the model says what it reads."""
        return {"kernel": (self.reads, None)} if self.reads else {}

    def call(
        self, request: tf.Tensor, item: tf.Tensor, real: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """``request [batch, values]`` and ``item [batch, candidates, values]`` to ``[batch, candidates, scores]``; bool
        ``real [batch, candidates]`` says in training which are any."""
        kernel = tf.convert_to_tensor(self.kernel)
        if self.request_width:
            of_request = tf.matmul(request, kernel[: self.request_width]) + self.bias
            hidden = of_request[:, None, :] + tf.tensordot(item, kernel[self.request_width :], 1)
        else:  # TensorFlow's compiler aborts at the gradient of a product over nothing
            hidden = tf.tensordot(item, kernel, 1) + self.bias
        if self.rest:
            hidden = self.activation(hidden)
        for place, (dropout, layer) in enumerate(zip(self.dropouts, self.rest, strict=True)):
            if self.dices:
                hidden = self.dices[place](hidden, real, training=training)
            hidden = layer(dropout(hidden, training=training))
        return hidden
