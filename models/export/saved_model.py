"""The export of an engine's model: its tables and weights behind the signatures of every model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.engine.engine import Engine
from models.export.serving_module import ServingModule
from models.inputs import ModelInputs
from models.outputs import ITEM, USER, Outputs
from models.schema import PADDING, UNKNOWN, FeatureSchema, Side


class EngineModule(ServingModule):
    """An engine's model; the dense weights are shared with the engine, the tables are not."""

    def __init__(self, engine: Engine, kinds: Mapping[str, str], only: Side | None = None) -> None:
        schema, tasks = (engine.schema, engine.tasks) if only is None else (of_side(engine.schema, only), ())
        spaces = {str(feature.space) for feature in schema.asked.features if feature.has_ids}
        super().__init__(schema, tasks, {space: kinds[space] for space in sorted(spaces)}, type(engine.model))
        # The Keras layers stay outside, behind a function: they would be saved as well, and differently by
        # each of the two ways of saving. What is saved of them is their plain variables.
        model = engine.model
        self._answer = _asked(model, only)
        self.weights = [weight.value for weight in engine.model.weights]
        self._readers = {f.name: [t for t in engine.specs if f.name in t.features] for f in schema.features}
        self.embeddings = {
            spec.name: tf.Variable(
                tf.zeros((UNKNOWN + 1, spec.width)), shape=[None, spec.width], trainable=False, name=f"emb_{spec.name}"
            )
            for spec in engine.specs
            if any(spec in specs for specs in self._readers.values())
        }

    def answer(self, index: Mapping[str, tf.Tensor], dense: Mapping[str, tf.Tensor]) -> Outputs:
        by_role: dict[str, dict[str, tf.Tensor]] = {}
        mask: dict[str, tf.Tensor] = {}
        for name, found in index.items():
            if any(spec.unknown == "nothing" for spec in self._readers[name]):
                found = tf.where(found == UNKNOWN, PADDING, found)
            for spec in self._readers[name]:
                by_role.setdefault(spec.role, {})[name] = tf.gather(self.embeddings[spec.name], found)
            mask[name] = found != PADDING
        return self._answer(ModelInputs(by_role.pop("", {}), mask, dict(dense), by_role))

    def assign(self, tables: Mapping[str, NDArray[np.float32]]) -> None:
        """Take up the rows of the tables that it reads."""
        for name, variable in self.embeddings.items():
            variable.assign(tables[name])


def of_side(schema: FeatureSchema, side: Side) -> FeatureSchema:
    """The schema of one side's features."""
    return schema.subset({feature.name for feature in schema.asked.features if feature.side is side})


def _asked(model: Any, only: Side | None) -> Callable[[ModelInputs], Outputs]:
    """How a model is asked for its scores, or for the vectors of one of its two towers."""
    if only is None:
        return lambda inputs: model(inputs, training=False)
    name = USER if only is Side.REQUEST else ITEM
    return lambda inputs: Outputs({}, {}, {name: model.vectors(only, inputs)[0]})


def module_of(engine: Engine, kinds: Mapping[str, str]) -> EngineModule:
    """The module that answers as the engine's model does now; it stays with the engine, as it is traced only once.

    Args:
        kinds: for each id space in use, ``int`` or ``str``.
    """
    module = engine.serving
    if not isinstance(module, EngineModule):
        module = engine.serving = EngineModule(engine, kinds)
    module.assign(engine.tables())
    return module
