"""The export of a blend: its members' modules behind the signatures of every model, with the ids in it once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from models.export.serving_module import ServingModule
from models.outputs import Outputs
from models.schema import FeatureSchema
from models.tasks import Task


class BlendModule(ServingModule):
    """A weighted sum of what the members answer.

    Args:
        schema: the features of all members together.
        members: their modules, of the same tasks.
    """

    def __init__(
        self, schema: FeatureSchema, tasks: tuple[Task, ...], kinds: Mapping[str, str], members: Sequence[ServingModule]
    ) -> None:
        super().__init__(schema, tasks, kinds, BlendModule)
        self.members = list(members)
        self.weights = {task.name: tf.Variable(tf.zeros(len(members) + 1), trainable=False) for task in tasks}

    def take(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Take up the weights of the members, and what is added, ``[members + 1]`` by task."""
        for name, values in weights.items():
            self.weights[name].assign(values)

    def answer(self, index: Mapping[str, tf.Tensor], dense: Mapping[str, tf.Tensor]) -> Outputs:
        answers = [_of(member, index, dense).logits for member in self.members]
        logits = {
            name: tf.add_n([logits[name] * weights[at] for at, logits in enumerate(answers)]) + weights[-1]
            for name, weights in self.weights.items()
        }
        return Outputs(logits, {}, {})


def _of(member: ServingModule, index: Mapping[str, tf.Tensor], dense: Mapping[str, tf.Tensor]) -> Outputs:
    names = member.features
    of_ids, of_floats = ({name: each for name, each in given.items() if name in names} for given in (index, dense))
    return member.answer(of_ids, of_floats)
