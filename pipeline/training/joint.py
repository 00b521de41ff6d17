"""What is told beside the tasks' own logits: that several of them come true, and the score that ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import DayArrays
from models.tasks import SCORE
from pipeline.config.job import JobConfig

Float = NDArray[np.float64]


def with_joints(config: JobConfig, arrays: DayArrays) -> DayArrays:
    """A day's rows with the labels of all that is measured beside the tasks."""
    if not config.joints:
        return arrays
    found = [joint_label([arrays.label_of(task) for task in chain]) for chain in config.joints.values()]
    label = np.column_stack([np.asarray(arrays.label), *found]).astype(np.int8)
    return replace(arrays, label=label, tasks=(*arrays.tasks, *config.joints))


def joint_label(labels: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """``[rows]``: 1 where all come true, 0 where the first that does not is known to, else −1; each is of the rows in
    which those before it come true."""
    return reduce(lambda given, own: np.where(given == 1, own, given), labels)


def with_joint_logits(config: JobConfig, logits: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Logits by task, and of all beside the tasks that a model can tell by them."""
    found = dict(logits)
    for name, chain in config.joints.items():
        if name == SCORE and set(config.score) <= set(logits):
            found[name] = score_logit(config.score, logits).astype(np.float32)
        elif name != SCORE and set(chain) <= set(logits):
            found[name] = joint_logit([logits[task] for task in chain]).astype(np.float32)
    return found


def joint_logit(logits: Sequence[NDArray[Any]]) -> Float:
    """The logit of the product of probabilities (``models.heads.joint``)."""
    wide = [np.asarray(each, np.float64) for each in logits]
    return reduce(lambda a, b: -np.logaddexp(np.logaddexp(-a, -b), -a - b), wide)


def score_logit(powers: Mapping[str, float], logits: Mapping[str, NDArray[Any]]) -> Float:
    """The logit of the product of powers of probabilities; by it rows are ordered as by the product."""
    return _logit_of_log(log_score(powers, logits))


def log_score(powers: Mapping[str, float], logits: Mapping[str, NDArray[Any]]) -> Float:
    """The logarithm of the product of powers of probabilities."""
    parts = [-power * np.logaddexp(0.0, -np.asarray(logits[name], np.float64)) for name, power in powers.items()]
    return np.asarray(sum(parts))


def _logit_of_log(log_probability: Float) -> Float:
    below = np.minimum(log_probability, -1e-30)
    return np.asarray(below - np.log(-np.expm1(below)))
