"""The exported model: raw ids in, logits and probabilities out, id maps and all transforms inside.

Inputs are named by feature, ``[batch, …]`` for the request's side and ``[batch, candidates, …]`` for the
candidates'; batch, candidates and the number of values of a bag are free. Ids are int64 or string as their
space is declared. ``PAD_INT`` or ``PAD_STR`` fills up bags and sequences; ``MISSING_INT`` or ``MISSING_STR``
is an id that is not known, as is every id that the model has not been trained on. A candidate whose every id
is padding is no candidate: its probability is 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from models.engine.engine import Engine
from models.export.id_lookup import _IntIds, _StrIds
from models.inputs import ModelInputs
from models.schema import PADDING, UNKNOWN, Feature, Kind, Side

Maps = Mapping[str, tuple[str, NDArray[Any]]]
"""For each id space its type, ``int`` or ``str``, and its raw ids in the order of their indices, from 2."""


class ServingModule(tf.Module):
    """What is saved; traced once, so that a later export only assigns variables.

    Signatures: ``serving_default`` gives ``logit`` and ``probability`` ``[batch, candidates]`` of the first task, with
    several tasks ``<task>/logit`` and ``<task>/probability`` of each, and ``vector/<name>``; ``unknown``
    gives for each feature with ids the share of its real values that read as unknown; ``describe`` gives
    ``metadata``, a JSON text.

    Args:
        engine: whose model it is; the dense weights are shared with it, the tables are not.
        kinds: for each id space in use, ``int`` or ``str``.
    """

    def __init__(self, engine: Engine, kinds: Mapping[str, str]) -> None:
        super().__init__(name="serving")
        self._schema = engine.schema
        self._tasks = engine.tasks
        # The Keras layers stay outside, behind a function: they would be saved as well, and differently by
        # each of the two ways of saving. What is saved of them is their plain variables.
        model = engine.model
        self._answer = lambda inputs: model(inputs, training=False)
        self.weights = [weight.value for weight in engine.model.weights]
        self.ids = {space: _IntIds() if kinds[space] == "int" else _StrIds() for space in engine.spaces}
        self._readers = {f.name: [t for t in engine.specs if f.name in t.features] for f in engine.schema.features}
        self._spaces = {spec.name: spec.space for spec in engine.specs}
        self.embeddings = {
            spec.name: tf.Variable(
                tf.zeros((UNKNOWN + 1, spec.width)), shape=[None, spec.width], trainable=False, name=f"emb_{spec.name}"
            )
            for spec in engine.specs
        }
        self.metadata = tf.Variable("{}", trainable=False, name="metadata")
        self._graph: bytes | None = None
        specs = input_specs(engine, kinds)
        self.entries = {
            "serving_default": tf.function(self._score, autograph=False).get_concrete_function(**specs),
            "unknown": tf.function(self._unknown, autograph=False).get_concrete_function(**specs),
            "describe": tf.function(self._describe, autograph=False).get_concrete_function(),
        }

    def update(self, engine: Engine, maps: Maps, metadata: Mapping[str, object]) -> None:
        """Take up the engine's tables and the ids that it knows.

        Raises:
            ValueError: an id map holds fewer ids than the engine was trained on.
        """
        state = engine.tables()
        for name, table in state.items():
            space = self._spaces[name]
            ids = maps[space][1]
            if len(ids) < len(table) - 2:
                raise ValueError(
                    f"id space '{space}': the model knows {len(table) - 2} ids, its map holds only {len(ids)}"
                )
            self.ids[space].set(ids[: len(table) - 2])
            self.embeddings[name].assign(table)
        self.metadata.assign(json.dumps(dict(metadata), sort_keys=True))

    def save(self, path: Path) -> None:
        """Write the SavedModel; its graph is the same at every save, so later ones write the variables only."""
        if self._graph is None:
            tf.saved_model.save(self, str(path), signatures=self.entries)
            self._graph = (path / "saved_model.pb").read_bytes()
            # Optional parts that later saves could not keep true.
            (path / "fingerprint.pb").unlink(missing_ok=True)
            (path / "assets").rmdir()
        else:
            path.mkdir(parents=True, exist_ok=True)
            tf.train.Checkpoint(root=self).write(str(path / "variables" / "variables"))
            (path / "saved_model.pb").write_bytes(self._graph)

    def _score(self, **raw: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = self._answer(self._inputs(raw))
        answer: dict[str, tf.Tensor] = {}
        for task in self._tasks:
            logit = outputs.logits[task.name]
            probability = tf.sigmoid(logit) if task.loss == "binary" else self._share(raw, logit)
            told = {"logit": logit, "probability": probability}
            # The first task is what ranks, and the only one as a rule: whoever serves it need not know its name.
            answer = answer or told
            if len(self._tasks) > 1:
                answer |= {f"{task.name}/{name}": value for name, value in told.items()}
        return answer | {f"vector/{name}": value for name, value in outputs.vectors.items()}

    def _share(self, raw: Mapping[str, tf.Tensor], logit: tf.Tensor) -> tf.Tensor:
        """Softmax over a request's candidates; 0 of what is none."""
        items = self._schema.on(Side.ITEM, ids=True)
        if not items:
            return tf.nn.softmax(logit, axis=1)
        real = [tf.not_equal(raw[f.name], self.ids[str(f.space)].padding) for f in items]
        real = [tf.reduce_any(r, axis=-1) if f.kind is Kind.BAG else r for f, r in zip(items, real, strict=True)]
        some = tf.reduce_any(tf.stack(real), axis=0)
        share = tf.nn.softmax(tf.where(some, logit, -1e9), axis=1)
        return tf.where(some, share, 0.0)

    def _inputs(self, raw: Mapping[str, tf.Tensor]) -> ModelInputs:
        by_role: dict[str, dict[str, tf.Tensor]] = {}
        mask: dict[str, tf.Tensor] = {}
        dense: dict[str, tf.Tensor] = {}
        for feature in self._schema.features:
            if not feature.has_ids:
                dense[feature.name] = raw[feature.name]
                continue
            index = self._index(feature, raw[feature.name])
            for spec in self._readers[feature.name]:
                by_role.setdefault(spec.role, {})[feature.name] = tf.gather(self.embeddings[spec.name], index)
            mask[feature.name] = index != PADDING
        return ModelInputs(by_role.pop("", {}), mask, dense, by_role)

    def _index(self, feature: Feature, raw: tf.Tensor) -> tf.Tensor:
        index = self.ids[str(feature.space)].look_up(raw)
        # One id there has to be: a single value that is padding is missing.
        return tf.maximum(index, UNKNOWN) if feature.kind is Kind.CATEGORICAL else index

    def _unknown(self, **raw: tf.Tensor) -> dict[str, tf.Tensor]:
        shares = {}
        for feature in self._schema.features:
            if feature.has_ids:
                index = self._index(feature, raw[feature.name])
                unknown = tf.math.count_nonzero(tf.equal(index, UNKNOWN), dtype=tf.float32)
                real = tf.math.count_nonzero(tf.not_equal(index, PADDING), dtype=tf.float32)
                shares[feature.name] = unknown / tf.maximum(real, 1.0)
        # A signature has at least one output.
        return shares or {"none": tf.constant(0.0)}

    def _describe(self) -> dict[str, tf.Tensor]:
        return {"metadata": tf.identity(self.metadata)}


def input_specs(engine: Engine, kinds: Mapping[str, str]) -> dict[str, tf.TensorSpec]:
    """Names, types and shapes of the exported model's inputs."""
    return {
        f.name: tf.TensorSpec(
            (None,) * (1 if f.side is Side.REQUEST else 2) + _own_shape(f),
            tf.float32 if not f.has_ids else tf.int64 if kinds[str(f.space)] == "int" else tf.string,
            name=f.name,
        )
        for f in engine.schema.features
    }


def export(engine: Engine, maps: Maps, path: Path, metadata: Mapping[str, object]) -> None:
    """Write the engine's model to ``path`` as a SavedModel that needs only TensorFlow.

    The traced module stays with the engine, so that the next export of the same engine is quick.

    Args:
        engine: a trained engine.
        maps: id maps of the spaces in use; ids beyond what the engine was trained on are left out.
        path: of the folder to write.
        metadata: what ``describe`` answers: job, experiment, checkpoint.
    """
    kinds = {space: maps[space][0] for space in engine.spaces}
    module = engine.serving
    if not isinstance(module, ServingModule):
        module = engine.serving = ServingModule(engine, kinds)
    module.update(engine, maps, metadata)
    module.save(path)


def _own_shape(feature: Feature) -> tuple[int | None, ...]:
    return {
        Kind.CATEGORICAL: (),
        Kind.BAG: (None,),
        Kind.SEQUENCE: (feature.steps,),
        Kind.BAG_SEQUENCE: (feature.lead + feature.steps, None),
        Kind.DENSE: (feature.size,),
    }[feature.kind]
