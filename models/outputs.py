"""What a model answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import tensorflow as tf

from models.tasks import Task

USER: Final = "user"
ITEM: Final = "item"
"""Vectors of a model with two towers: a logit is the inner product of both."""
USE = "use/"
"""What the names begin with of how much of what a task is told comes from each expert: ``use/<task>/<expert>``."""
_NONE: Mapping[str, tf.Tensor] = MappingProxyType({})


class Auxiliary(NamedTuple):
    """A loss that a training step lowers beside the tasks'.

    Attributes:
        value: scalar, told as it is.
        weight: with which it enters what is lowered.
        of_weights: it is a function of the weights alone, whatever the batch.
    """

    value: tf.Tensor
    weight: float = 1.0
    of_weights: bool = False


class Outputs(NamedTuple):
    """Scores by task, and what else there is.

    Attributes:
        logits: ``[batch, candidates]`` by task.
        losses: by name what a training step adds to the tasks' own; none otherwise.
        vectors: ``[batch, dim]`` or ``[batch, candidates, dim]`` by name, for recall; exported beside the scores.
        weights: by task what its loss weighs in training beside the task's own weight: a number, or ``[batch,
            candidates]``.
        told: numbers that a training step tells beside its losses, and lowers none of.
    """

    logits: dict[str, tf.Tensor]
    losses: dict[str, Auxiliary]
    vectors: dict[str, tf.Tensor]
    weights: Mapping[str, tf.Tensor] = _NONE
    told: Mapping[str, tf.Tensor] = _NONE


def check_outputs(model: str, outputs: Outputs, tasks: Iterable[Task]) -> None:
    """What a model answers when it is asked, not trained.

    Raises:
        ValueError: a task without logits, or a loss, which would be computed at every request.
    """
    lacking = [task.name for task in tasks if task.name not in outputs.logits]
    if lacking:
        raise ValueError(f"model '{model}' gives no logits of the task {', '.join(lacking)}")
    if outputs.losses:
        raise ValueError(
            f"model '{model}' gives the losses {', '.join(outputs.losses)} where it is asked with `training=False`; "
            "they belong to training alone"
        )
