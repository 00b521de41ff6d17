"""The export of an engine's model: its tables and weights behind the signatures of every model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from models.engine.engine import Engine
from models.export.graphs import Graph
from models.export.serving_module import Maps, ServingModule
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


def export(
    engine: Engine, maps: Maps, path: Path, metadata: Mapping[str, object],
    settings: str = "", earlier: Graph | None = None,
) -> str:  # fmt: skip
    """Write the engine's model to ``path`` as a SavedModel that needs only TensorFlow; what its graph is known by.

    The module stays with the engine, so that the next export of the same engine is quick.

    Args:
        engine: a trained engine.
        maps: id maps of the spaces in use; ids beyond what the engine was trained on are left out.
        path: of the folder to write.
        metadata: what ``describe`` answers: job, experiment, checkpoint.
        settings, earlier: as of ``ServingModule.save``.

    Raises:
        ValueError: an id map holds fewer ids than the engine was trained on.
    """
    module = engine.serving
    if not isinstance(module, EngineModule):
        module = engine.serving = EngineModule(engine, {space: maps[space][0] for space in engine.spaces})
    module.know(engine.sizes, maps, metadata)
    for name, table in engine.tables().items():
        module.embeddings[name].assign(table)
    return module.save(path, settings, earlier)
