"""The export of a model of trees: its trees as arrays, walked in the graph, behind the signatures of every model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.export.serving_module import ServingModule
from models.forest import Forest
from models.outputs import Outputs
from models.schema import Feature, Side
from models.tasks import Task

Trees = Mapping[str, tf.Tensor]
"""The arrays of a :class:`models.forest.Forest`, by name."""


class TreesModule(ServingModule):
    """Trees by task; what their leaves say is added, whether the trees' own values or a regression's weights.

    Thresholds and sums are float64, as LightGBM has them.

    Args:
        model: says which numbers are asked (``models.zoo.boosted``).
    """

    def __init__(self, model: Any, tasks: tuple[Task, ...], kinds: Mapping[str, str]) -> None:
        super().__init__(model.schema, tasks, kinds, type(model))
        self._read: tuple[Feature, ...] = model.read
        self.base = {task.name: tf.Variable(0.0, trainable=False, dtype=tf.float64) for task in tasks}
        self.trees = {
            task.name: {
                name: tf.Variable(values, shape=[None] * values.ndim, trainable=False)
                for name, values in Forest.none().tensors.items()
            }
            for task in tasks
        }

    def take(self, task: str, forest: Forest, value: NDArray[np.float64], base: float) -> None:
        """Take up the trees of a task, what each leaf says ``[trees, leaves]``, and what is added."""
        self.base[task].assign(base)
        for name, values in {**forest.tensors, "value": value}.items():
            self.trees[task][name].assign(values)

    def answer(self, index: Mapping[str, tf.Tensor], dense: Mapping[str, tf.Tensor]) -> Outputs:
        shape = self._shape(index, dense)
        parts = [
            tf.broadcast_to(
                dense[each.name][:, None] if each.side is Side.REQUEST else dense[each.name],
                tf.concat([shape, [each.size]], axis=0),
            )
            for each in self._read
        ]
        x = tf.reshape(tf.concat(parts, axis=-1), [-1, sum(each.size for each in self._read)])
        logits = {}
        for task in self._tasks:
            total = said(self.trees[task.name], leaves_of(self.trees[task.name], x)) + self.base[task.name]
            logits[task.name] = tf.reshape(tf.cast(total, tf.float32), shape)
        return Outputs(logits, {}, {})


def leaves_of(trees: Trees, x: tf.Tensor) -> tf.Tensor:
    """The leaf of every row in every tree, int32 ``[rows, trees]``.

    Args:
        x: floats ``[rows, columns]``; NaN goes to the default side.
    """
    many, nodes = tf.unstack(tf.shape(trees["feature"]))
    first = nodes * tf.range(many)
    flat = {name: tf.reshape(each, [-1]) for name, each in trees.items()}
    wide = tf.cast(x, tf.float64)

    def down(node: tf.Tensor) -> tuple[tf.Tensor]:
        at = first + tf.maximum(node, 0)
        asked = tf.gather(wide, tf.gather(flat["feature"], at), batch_dims=1)
        left = tf.where(
            tf.math.is_nan(asked), tf.gather(flat["default_left"], at), asked <= tf.gather(flat["threshold"], at)
        )
        child = tf.where(left, tf.gather(flat["left"], at), tf.gather(flat["right"], at))
        return (tf.where(node >= 0, child, node),)

    begun = tf.zeros([tf.shape(x)[0], many], tf.int32)
    (found,) = tf.while_loop(lambda node: tf.reduce_any(node >= 0), down, [begun])
    return -1 - found


def said(trees: Trees, leaves: tf.Tensor) -> tf.Tensor:
    """The sum of what the leaves ``[rows, trees]`` say, float64 ``[rows]``."""
    many, width = tf.unstack(tf.shape(trees["value"]))
    return tf.reduce_sum(tf.gather(tf.reshape(trees["value"], [-1]), leaves + width * tf.range(many)), axis=1)
