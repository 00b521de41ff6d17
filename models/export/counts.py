"""The export of a model that counts: its counts behind the signatures of every model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.export.serving_module import ServingModule
from models.outputs import Outputs
from models.schema import UNKNOWN, Feature
from models.tasks import Task

_NOBODY = np.iinfo(np.int64).max


class CountsModule(ServingModule):
    """Counts by task, looked up in the graph by item, and by user and item.

    Args:
        model: says which features are counted, and what a score is made of (``models.zoo.popularity``).
    """

    def __init__(self, model: Any, tasks: tuple[Task, ...], kinds: Mapping[str, str]) -> None:
        super().__init__(model.schema, tasks, kinds, type(model))
        self._model = _Unsaved(model)
        self.pair_keys = tf.Variable(tf.fill([1], tf.int64.max), shape=[None], trainable=False, name="pair_keys")
        self.counts = {
            task.name: {
                "all": tf.Variable(tf.zeros(2), trainable=False),
                "item": tf.Variable(tf.zeros((UNKNOWN + 1, 2)), shape=[None, 2], trainable=False),
                "pair": tf.Variable(tf.zeros((1, 2)), shape=[None, 2], trainable=False),
            }
            for task in tasks
        }

    def take(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take up a trainer's counts."""
        keys = state["pair/key"]
        # Behind them a key that nobody has, so that a search never ends beyond the last.
        self.pair_keys.assign(np.append(keys[:, 0] << 32 | keys[:, 1], _NOBODY))
        for name, counts in self.counts.items():
            counts["all"].assign(state[f"count/{name}/all"].astype(np.float32))
            counts["item"].assign(state[f"count/{name}/item"].astype(np.float32))
            of_pair = state[f"count/{name}/pair"].astype(np.float32)
            counts["pair"].assign(np.concatenate([of_pair, np.zeros((1, 2), np.float32)]))

    def answer(self, index: Mapping[str, tf.Tensor], dense: Mapping[str, tf.Tensor]) -> Outputs:
        model = self._model.value
        shape = self._shape(index, dense)
        item = tf.broadcast_to(tf.cast(self._of(model.item, index), tf.int64), shape)
        user = self._of(model.user, index)
        user = tf.broadcast_to(tf.cast(user if user.shape.rank == 0 else user[:, None], tf.int64), shape)
        key = tf.bitwise.left_shift(user, tf.constant(32, tf.int64)) + item
        place = tf.reshape(tf.searchsorted(self.pair_keys, tf.reshape(key, [-1])), tf.shape(key))
        known = tf.cast(tf.equal(tf.gather(self.pair_keys, place), key), tf.float32)[..., None]
        logits = {
            task.name: model.score(
                task.loss, self.counts[task.name]["all"], tf.gather(self.counts[task.name]["item"], item),
                tf.gather(self.counts[task.name]["pair"], place) * known, tf.math.log,
            )
            for task in self._tasks
        }  # fmt: skip
        return Outputs(logits, {}, {})

    def _of(self, feature: Feature | None, index: Mapping[str, tf.Tensor]) -> tf.Tensor:
        return tf.constant(UNKNOWN, tf.int32) if feature is None else index[feature.name]


class _Unsaved:
    """Keeps what is no part of a SavedModel out of it."""

    def __init__(self, value: Any) -> None:
        self.value = value
