"""The networks of ``benchmarks.models`` as one writes them in Keras, to be trained by ``fit``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

ATTENTION_UNITS = (80, 40)


class AugruCell(keras.layers.Layer):
    """A GRU's cell whose update gate is closed by an attention score, which stands last among the inputs."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.state_size = self.output_size = units

    def build(self, shape: tuple[int | None, ...]) -> None:
        units = self.state_size
        self.kernel = self.add_weight(shape=(int(shape[-1] or 0) - 1, 3 * units), initializer="glorot_uniform")
        self.recurrent = self.add_weight(shape=(units, 3 * units), initializer="orthogonal")
        self.bias = self.add_weight(shape=(2, 3 * units), initializer="zeros")

    def call(self, inputs: tf.Tensor, states: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        step, score = inputs[:, :-1], inputs[:, -1:]
        state = states[0]
        of_input = tf.split(step @ self.kernel + self.bias[0], 3, axis=1)
        of_state = tf.split(state @ self.recurrent + self.bias[1], 3, axis=1)
        update, reset = (tf.sigmoid(of_input[gate] + of_state[gate]) for gate in (0, 1))
        candidate = tf.tanh(of_input[2] + reset * of_state[2])
        keep = (1.0 - score) * update
        state = keep * state + (1.0 - keep) * candidate
        return state, [state]


class Network(keras.Model):
    """Embeddings, a history read as ``model`` does, and a network on top.

    Args:
        model: ``din``, ``gru`` or ``dien``.
        sizes: indices of each field's table; ``item`` and ``category`` are also those of the history.
        units: of the network on top.
    """

    def __init__(self, model: str, sizes: Mapping[str, int], width: int, units: tuple[int, ...]) -> None:
        super().__init__()
        self.reads = model
        self.embeddings = {name: keras.layers.Embedding(size, width) for name, size in sizes.items()}
        state = 2 * width
        self.gru = keras.layers.GRU(state, return_sequences=True) if model in ("gru", "dien") else None
        self.weights_of = [keras.layers.Dense(n, "sigmoid") for n in ATTENTION_UNITS] + [keras.layers.Dense(1)]
        self.augru = keras.layers.RNN(AugruCell(state)) if model == "dien" else None
        self.hidden = [keras.layers.Dense(n, "relu") for n in units]
        self.score = keras.layers.Dense(1)

    def call(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        of_row = {name: layer(inputs[name]) for name, layer in self.embeddings.items()}
        target = tf.concat([of_row["item"], of_row["category"]], axis=-1)
        ids = {name: inputs[f"history_{name}"] for name in ("item", "category")}
        mask = ids["item"] > 0
        steps = tf.concat([self.embeddings[name](each) for name, each in ids.items()], axis=-1)
        interest = self._interest(target, steps, mask)
        hidden = tf.concat([*of_row.values(), interest, target * interest], axis=-1)
        for layer in self.hidden:
            hidden = layer(hidden)
        return self.score(hidden)

    def _interest(self, target: tf.Tensor, steps: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        if self.reads == "gru":
            return self.gru(steps, mask=mask)[:, -1]
        told = steps if self.gru is None else self.gru(steps, mask=mask)
        weights = self._attention(target, told, mask)
        if self.augru is None:
            return tf.reduce_sum(weights[..., None] * told, axis=1)
        return self.augru(tf.concat([told, weights[..., None]], axis=-1), mask=mask)

    def _attention(self, target: tf.Tensor, steps: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        asked = tf.repeat(target[:, None], tf.shape(steps)[1], axis=1)
        hidden = tf.concat([asked, steps, asked - steps, asked * steps], axis=-1)
        for layer in self.weights_of:
            hidden = layer(hidden)
        return tf.nn.softmax(tf.where(mask, hidden[..., 0], -1e9), axis=-1) * tf.cast(mask, tf.float32)


def compiled(*given: Any) -> Network:
    """A network with Keras' Adam, ready to be fitted."""
    network = Network(*given)
    network.compile(optimizer=keras.optimizers.Adam(1e-3), loss=keras.losses.BinaryCrossentropy(from_logits=True))
    return network
