"""The exported module, whatever trained it: raw ids in, logits and probabilities out, id maps inside.

Inputs are named by feature, ``[batch, …]`` for the request's side and ``[batch, candidates, …]`` for the
candidates'; batch, candidates and the number of values of a bag are free. Ids are int64 or string as their
space is declared; of a feature that is a bin of a number it is the number, NaN where it is missing. ``PAD_INT`` or
``PAD_STR`` fills up bags and sequences; ``MISSING_INT`` or ``MISSING_STR`` is an id that is not known, as is every id
that the model has not been trained on. A candidate whose every id is padding is no candidate: its probability is 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.export.graphs import GRAPH, Graph, graph_key
from models.export.id_lookup import _IntIds, _Limits, _StrIds
from models.heads.joint import joint_logits, log_power, logit_of_log
from models.outputs import Outputs
from models.schema import PADDING, UNKNOWN, Feature, FeatureSchema, Kind, Side
from models.tasks import SCORE, Task

Maps = Mapping[str, tuple[str, NDArray[Any]]]
"""For each id space its type, ``int`` or ``str``, and its raw ids in the order of their indices, from 2."""


class ServingModule(tf.Module):
    """What is saved; traced at most once, so that a later export only assigns variables.

    Signatures: ``serving_default`` gives ``logit`` and ``probability`` ``[batch, candidates]`` of what ranks, the first
    task or the score; with several tasks ``<task>/logit`` and ``<task>/probability`` of each, of what is called a
    task's ``joint`` and of the ``score``; and ``vector/<name>``. ``unknown`` gives for each feature with ids the share
    of its real values that read as unknown; ``describe`` gives ``metadata``, a JSON text.

    A subclass says in :meth:`answer` what its model answers.

    Args:
        schema: the model's features.
        tasks: what it is asked.
        kinds: for each id space in use, ``int`` or ``str``.
        model: the class whose code answers.
    """

    def __init__(self, schema: FeatureSchema, tasks: tuple[Task, ...], kinds: Mapping[str, str], model: type) -> None:
        super().__init__(name="serving")
        self._schema = schema.asked
        self._tasks = tasks
        self._kinds = dict(kinds)
        self.ids: dict[str, _IntIds | _StrIds] = {}
        self.bins: dict[str, _Limits] = {}
        self.metadata = tf.Variable("{}", trainable=False, name="metadata")
        self._model_class = model
        self._powers: Mapping[str, float] = {}
        self._graph: bytes | None = None

    @property
    def features(self) -> set[str]:
        """What it reads, by name."""
        return {feature.name for feature in self._schema.features}

    def answer(self, index: Mapping[str, tf.Tensor], dense: Mapping[str, tf.Tensor]) -> Outputs:
        """What the model answers, of indices and floats by feature; an id that was not trained is ``UNKNOWN``."""
        raise NotImplementedError

    def write(
        self,
        path: Path,
        sizes: Mapping[str, int],
        maps: Maps,
        metadata: Mapping[str, object],
        settings: str = "",
        earlier: Graph | None = None,
        limits: Mapping[str, NDArray[np.float32]] | None = None,
        powers: Mapping[str, float] | None = None,
    ) -> str:
        """Write the module as a SavedModel that needs only TensorFlow; returns what its graph is known by.

        A graph is the same at every save, so where it is there already, of this module or of an ``earlier`` export that
        is known by the same, it is copied and the variables alone are written.

        Args:
            path: of the folder to write.
            sizes: of the model's id spaces; ids beyond them are left out.
            metadata: what ``describe`` answers: job, experiment, checkpoint.
            settings: digest of what the model and its features were made by (:func:`graph_key`).
            limits: of bins, by feature that is a bin of a number.
            powers: of the tasks' probabilities, whose product ranks instead of the first task.

        Raises:
            ValueError: an id map holds fewer ids than the model was trained on.
        """
        if not self.ids:  # only now: a blend has one for all its members
            kinds = sorted(self._kinds.items())
            self.ids = {space: _IntIds() if kind == "int" else _StrIds() for space, kind in kinds}
            self.bins = {feature.name: _Limits() for feature in self._schema.features if feature.bins}
        self._powers = powers or {}
        for name, found in self.bins.items():
            found.set((limits or {})[name])
        self._know(sizes, maps, metadata)
        return self._save(path, graph_key(self, self._model_class, settings), earlier)

    def _know(self, sizes: Mapping[str, int], maps: Maps, metadata: Mapping[str, object]) -> None:
        """Take up the ids that a model of these sizes knows."""
        for space, ids in self.ids.items():
            raw, known = maps[space][1], sizes[space] - 2
            if len(raw) < known:
                raise ValueError(f"id space '{space}': the model knows {known} ids, its map holds only {len(raw)}")
            ids.set(raw[:known])
        self.metadata.assign(json.dumps(dict(metadata), sort_keys=True))

    def _save(self, path: Path, key: str, earlier: Graph | None) -> str:
        if self._graph is None and earlier is not None and earlier.key == key:
            self._graph = earlier.content
        if self._graph is None:
            self._trace()
            tf.saved_model.save(self, str(path), signatures=self.entries)
            self._graph = (path / GRAPH).read_bytes()
            # Optional parts that later saves could not keep true.
            (path / "fingerprint.pb").unlink(missing_ok=True)
            (path / "assets").rmdir()
        else:
            path.mkdir(parents=True, exist_ok=True)
            tf.train.Checkpoint(root=self).write(str(path / "variables" / "variables"))
            (path / GRAPH).write_bytes(self._graph)
        return key

    def _trace(self) -> None:
        """Make the signatures."""
        specs = input_specs(self._schema, self._kinds)
        self.entries = {
            "serving_default": tf.function(self._score, autograph=False).get_concrete_function(**specs),
            "unknown": tf.function(self._unknown, autograph=False).get_concrete_function(**specs),
            "describe": tf.function(self._describe, autograph=False).get_concrete_function(),
        }

    def _score(self, **raw: tf.Tensor) -> dict[str, tf.Tensor]:
        with_ids = [feature for feature in self._schema.features if feature.has_ids]
        outputs = self.answer(
            {feature.name: self._index(feature, raw[feature.name]) for feature in with_ids},
            {feature.name: raw[feature.name] for feature in self._schema.features if not feature.has_ids},
        )
        told = {task.name: self._told(task, raw, outputs.logits[task.name]) for task in self._tasks}
        joint = joint_logits(self._tasks, outputs.logits)
        both: dict[str, tf.Tensor] = {}
        for task in self._tasks:
            own = told[task.name]["probability"]
            # Of the probabilities as they are told, so that whoever multiplies them has the same bits.
            both[task.name] = both[task.given] * own if task.given in both else own
            if task.joint:
                told[task.joint] = {"logit": joint[task.name], "probability": both[task.name]}
        if self._powers:
            logits = tf.stack([outputs.logits[name] for name in self._powers], axis=-1)
            log_score = log_power(logits, tf.constant(list(self._powers.values()), tf.float32))
            told = {SCORE: {"logit": logit_of_log(log_score), "probability": tf.exp(log_score)}} | told
        # Whoever serves what ranks need not know its name; a tower ranks nothing.
        answer: dict[str, tf.Tensor] = dict(next(iter(told.values()), {}))
        if len(told) > 1:
            answer |= {f"{name}/{what}": value for name, each in told.items() for what, value in each.items()}
        return answer | {f"vector/{name}": value for name, value in outputs.vectors.items()}

    def _told(self, task: Task, raw: Mapping[str, tf.Tensor], logit: tf.Tensor) -> dict[str, tf.Tensor]:
        probability = self._share(raw, logit) if task.loss == "softmax" else tf.sigmoid(logit)
        return {"logit": logit, "probability": probability}

    def _share(self, raw: Mapping[str, tf.Tensor], logit: tf.Tensor) -> tf.Tensor:
        """Softmax over a request's candidates; 0 of what is none."""
        items = self._schema.on(Side.ITEM, ids=True)
        if not items:
            numbers = [f for side in (Side.ITEM, Side.PAIR) for f in self._schema.on(side, ids=False)]
            real = [tf.reduce_any(tf.math.is_finite(raw[f.name]), axis=-1) for f in numbers]
            return _softmax_of(logit, real)
        real = [tf.not_equal(raw[f.name], self.ids[str(f.space)].padding) for f in items]
        real = [tf.reduce_any(r, axis=-1) if f.kind is Kind.BAG else r for f, r in zip(items, real, strict=True)]
        return _softmax_of(logit, real)

    def _shape(self, index: Mapping[str, tf.Tensor], dense: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Requests and candidates: of an item's or a pair's feature, or one candidate a request."""
        for feature in self._schema.features:
            if feature.side is not Side.REQUEST:
                return tf.shape((index if feature.has_ids else dense)[feature.name])[:2]
        first = self._schema.features[0]
        return tf.stack([tf.shape((index if first.has_ids else dense)[first.name])[0], 1])

    def _index(self, feature: Feature, raw: tf.Tensor) -> tf.Tensor:
        if feature.bins:
            raw = self.bins[feature.name].bins(raw)
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


def _softmax_of(logit: tf.Tensor, real: list[tf.Tensor]) -> tf.Tensor:
    """Softmax over the candidates of which anything is said; of all where nothing could be."""
    if not real:
        return tf.nn.softmax(logit, axis=1)
    some = tf.reduce_any(tf.stack(real), axis=0)
    share = tf.nn.softmax(tf.where(some, logit, -1e9), axis=1)
    return tf.where(some, share, 0.0)


def input_specs(schema: FeatureSchema, kinds: Mapping[str, str]) -> dict[str, tf.TensorSpec]:
    """Names, types and shapes of the exported model's inputs."""
    return {
        f.name: tf.TensorSpec(
            (None,) * (1 if f.side is Side.REQUEST else 2) + f.shape(None),
            tf.float32 if f.bins or not f.has_ids else tf.int64 if kinds[str(f.space)] == "int" else tf.string,
            name=f.name,
        )
        for f in schema.features
    }
