"""A model's dense weights, and what their optimiser keeps of those that it moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.engine.state import SLOTS
from models.engine.tensors import one_empty_request
from models.engine.view import View
from models.randomness import check_no_hidden_state, seed_initializers


class DenseWeights:
    """The weights that a checkpoint holds: all but those that normalisers derive from their statistics.

    They are created here, each drawn from the seed and its own name.

    Attributes:
        variables: every tensor of a checkpoint that is of dense weights, by name (see ``state.State``).
        moved: weights that the optimiser moves, in a fixed order.
        slots: by slot, a variable for each of ``moved``.

    Args:
        model: not yet built.
        view: of any layout.
        seed: of the first weights.

    Raises:
        ValueError: two weights share a name.
    """

    def __init__(self, model: keras.layers.Layer, view: View, seed: int) -> None:
        seed_initializers(model, seed)
        model(one_empty_request(view), training=False)
        check_no_hidden_state(model)
        self._model = model
        derived = {id(v) for layer in model.normalisers.values() for v in layer.weights}
        kept = [v for v in model.weights if id(v) not in derived]
        self._weights = {f"dense/{v.path.removeprefix(f'{model.name}/')}": v for v in kept}
        if len(self._weights) != len(kept):
            raise ValueError(f"model '{model.name}': two weights share a name: {sorted(v.path for v in kept)}")
        self._first = {name: weight.numpy() for name, weight in self._weights.items()}
        moved = {name: weight.value for name, weight in self._weights.items() if weight.trainable}
        self.moved: list[tf.Variable] = list(moved.values())
        self.slots = {
            slot: [tf.Variable(tf.zeros(w.shape), trainable=False, name=f"dense_{slot}") for w in self.moved]
            for slot in SLOTS
        }
        self.variables: dict[str, Any] = dict(self._weights)
        for slot, variables in self.slots.items():
            self.variables |= {f"slot/{name}/{slot}": v for name, v in zip(moved, variables, strict=True)}

    def first(self, base_rates: Sequence[float] | None) -> dict[str, NDArray[Any]]:
        """What :attr:`variables` start from; ``base_rates`` as of ``Engine.fresh``."""
        state = {name: np.zeros(variable.shape, np.float32) for name, variable in self.variables.items()} | self._first
        if base_rates is not None:
            rates = np.asarray(base_rates)
            for name, weight in self._weights.items():
                if weight is self._model.output_bias:
                    state[name] = np.log(rates / (1.0 - rates)).astype(np.float32).reshape(state[name].shape)
        return state
