"""The export of an engine's model: its tables and weights behind the signatures of every model."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from models.engine.engine import Engine
from models.export.serving_module import ServingModule
from models.inputs import ModelInputs
from models.outputs import Outputs
from models.schema import PADDING, UNKNOWN


class EngineModule(ServingModule):
    """An engine's model; the dense weights are shared with the engine, the tables are not."""

    def __init__(self, engine: Engine, kinds: Mapping[str, str]) -> None:
        super().__init__(engine.schema, engine.tasks, kinds, type(engine.model))
        # The Keras layers stay outside, behind a function: they would be saved as well, and differently by
        # each of the two ways of saving. What is saved of them is their plain variables.
        model = engine.model
        self._answer = lambda inputs: model(inputs, training=False)
        self.weights = [weight.value for weight in engine.model.weights]
        self._readers = {f.name: [t for t in engine.specs if f.name in t.features] for f in engine.schema.features}
        self.embeddings = {
            spec.name: tf.Variable(
                tf.zeros((UNKNOWN + 1, spec.width)), shape=[None, spec.width], trainable=False, name=f"emb_{spec.name}"
            )
            for spec in engine.specs
        }

    def answer(self, index: Mapping[str, tf.Tensor], dense: Mapping[str, tf.Tensor]) -> Outputs:
        by_role: dict[str, dict[str, tf.Tensor]] = {}
        mask: dict[str, tf.Tensor] = {}
        for name, found in index.items():
            for spec in self._readers[name]:
                by_role.setdefault(spec.role, {})[name] = tf.gather(self.embeddings[spec.name], found)
            mask[name] = found != PADDING
        outputs: Outputs = self._answer(ModelInputs(by_role.pop("", {}), mask, dict(dense), by_role))
        return outputs


def module_of(engine: Engine, kinds: Mapping[str, str]) -> EngineModule:
    """The module that answers as the engine's model does now; it stays with the engine, as it is traced only once.

    Args:
        kinds: for each id space in use, ``int`` or ``str``.
    """
    module = engine.serving
    if not isinstance(module, EngineModule):
        module = engine.serving = EngineModule(engine, {space: kinds[space] for space in engine.spaces})
    for name, table in engine.tables().items():
        module.embeddings[name].assign(table)
    return module
