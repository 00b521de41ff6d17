"""A model's dense weights, and what their optimiser keeps of those that it moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.architecture import Axes
from models.engine.tensors import one_empty_request
from models.engine.update_rules import Rule, Values
from models.engine.view import View
from models.randomness import check_no_hidden_state, seed_initializers


class DenseWeights:
    """The weights that a checkpoint holds: all but those that normalisers derive from their statistics.

    They are created here, each drawn from the seed and its own name.

    Attributes:
        variables: every tensor of a checkpoint that is of dense weights, by name (see ``state.State``).
        moved: weights that the optimiser moves, in a fixed order.
        slots: by slot of the rule, a variable for each of ``moved``.
        axes: of the weights whose shapes are a matter of the features, by name, as layers tell them in ``weight_axes``.

    Args:
        model: not yet built.
        view: of any layout.
        seed: of the first weights.
        rule: how they move.

    Raises:
        ValueError: two weights share a name, or the axes that a layer tells are not those of its weight.
    """

    def __init__(self, model: keras.layers.Layer, view: View, seed: int, rule: Rule) -> None:
        seed_initializers(model, seed)
        model(one_empty_request(view), training=False)
        check_no_hidden_state(model)
        self._model = model
        self._rule = rule
        derived = {id(v) for layer in model.normalisers.values() for v in layer.weights}
        kept = [v for v in model.weights if id(v) not in derived]
        self._weights = {f"dense/{v.path.removeprefix(f'{model.name}/')}": v for v in kept}
        if len(self._weights) != len(kept):
            raise ValueError(f"model '{model.name}': two weights share a name: {sorted(v.path for v in kept)}")
        self._first = {name: weight.numpy() for name, weight in self._weights.items()}
        self.axes = _axes(model, self._weights)
        moved = {name: weight.value for name, weight in self._weights.items() if weight.trainable}
        self.moved: list[tf.Variable] = list(moved.values())
        self.slots = {
            slot: [tf.Variable(tf.zeros(w.shape), trainable=False, name=f"dense_{slot}") for w in self.moved]
            for slot in rule.slots
        }
        self.variables: dict[str, Any] = dict(self._weights)
        for slot, first in rule.slots.items():
            for name, variable in zip(moved, self.slots[slot], strict=True):
                self.variables[f"slot/{name}/{slot}"] = variable
                self._first[f"slot/{name}/{slot}"] = np.full(variable.shape, first, np.float32)

    def first(self, base_rates: Sequence[float] | None) -> dict[str, NDArray[Any]]:
        """What :attr:`variables` start from; ``base_rates`` as of ``Engine.fresh``."""
        state: dict[str, NDArray[Any]] = dict(self._first)
        if base_rates is not None:
            rates = np.asarray(base_rates)
            logits, given = np.log(rates / (1.0 - rates)).astype(np.float32), self._model.output_bias
            # One of all tasks, or one a task.
            of_all = isinstance(given, keras.Variable)
            biases = {id(given): logits} if of_all else dict(zip(map(id, given), logits, strict=True))
            for name, weight in self._weights.items():
                if id(weight) in biases:
                    state[name] = biases[id(weight)].reshape(state[name].shape)
        return state

    def move(self, gradients: list[tf.Tensor], step: tf.Tensor, learning_rate: tf.Tensor) -> None:
        """One step of :attr:`moved`, in the order of these."""
        rate = self._rule.rate(learning_rate, step)
        for place, (w, gradient) in enumerate(zip(self.moved, gradients, strict=True)):
            variables = [w, *(slot[place] for slot in self.slots.values())]
            first, *slots = (tf.identity(variable) for variable in variables)
            moved = self._rule.move(Values(first, tuple(slots)), tf.convert_to_tensor(gradient), rate)
            for variable, value in zip(variables, (moved.w, *moved.slots), strict=True):
                variable.assign(value)

    def begin_day(self) -> None:
        """What happens to the slots when a day of training begins."""
        for place in range(len(self.moved)):
            self._rule.begin_day([slot[place] for slot in self.slots.values()])


def _axes(model: keras.layers.Layer, weights: Mapping[str, keras.Variable]) -> dict[str, Axes]:
    names = {id(weight): name for name, weight in weights.items()}
    found: dict[str, Axes] = {}
    for layer in model._flatten_layers():
        of_layer: Mapping[str, Axes] = getattr(layer, "weight_axes", {})
        for attribute, axes in of_layer.items():
            weight = getattr(layer, attribute)
            lengths = [length if each is None else sum(size for _, size in each)
                       for each, length in zip(axes, weight.shape, strict=True)]  # fmt: skip
            if lengths != list(weight.shape):
                raise ValueError(f"layer '{layer.name}' tells {lengths} of its {attribute}, of {list(weight.shape)}")
            found[names[id(weight)]] = axes
    return dict(sorted(found.items()))
