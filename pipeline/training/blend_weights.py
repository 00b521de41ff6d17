"""What the members of a blend weigh: fitted on their tests, day after day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.schema import DayArrays
from models.tasks import LossName, Task

RIDGE = 1000.0
"""How strongly weights are held to the mean: as by a curvature of so much, that of some thousand rows."""
HALF_LIFE = 7
"""After so many tested days, a day says half as much: those of a young chain are of other models."""

_STEPS, _CLOSE = 50, 1e-9

Floats = NDArray[np.float64]
Terms = tuple[float, Floats, Floats]
Loss = Callable[[Floats], Terms]


@dataclass(frozen=True)
class Fit:
    """What the tests until now say of the weights w of one task, to second order: ½ wᵀ·curvature·w − pull·w.

    Attributes:
        curvature: ``[members, members]``.
        pull: ``[members]``.
    """

    curvature: Floats
    pull: Floats

    @classmethod
    def of(cls, tensor: Floats) -> Fit:
        """As it is stored: ``[members, members + 1]``, the pull last."""
        return cls(tensor[:, :-1], tensor[:, -1])

    @classmethod
    def none(cls, members: int) -> Fit:
        return cls(np.zeros((members, members)), np.zeros(members))

    @property
    def tensor(self) -> Floats:
        return np.column_stack([self.curvature, self.pull])


def fitted(before: Fit, loss: Loss) -> tuple[Floats, Fit]:
    """The weights ``[members]`` after a tested day, and what is known with it.

    They lower the day's loss, what earlier days say by their second order, and ``RIDGE``/2 · the squared distance from
    the mean. None is below zero. No constant is fitted beside them: by how much a day's models were off in all of its
    rows says little of the next (it costs .0016 of log-loss on KuaiRand).
    """
    mean = np.full(len(before.pull), 1 / len(before.pull))
    kept = 0.5 ** (1 / HALF_LIFE)
    known = Fit(kept * before.curvature, kept * before.pull)
    held = known.curvature + RIDGE * np.eye(len(mean))
    drawn = known.pull + RIDGE * mean

    def height(weights: Floats, lost: float) -> float:
        return float(lost + 0.5 * np.einsum("i,ij,j", weights, held, weights) - np.einsum("i,i", drawn, weights))

    weights = _least(held, drawn)
    lost, slope, curvature = loss(weights)
    for _ in range(_STEPS):
        step = _least(held + curvature, drawn + np.einsum("ij,j->i", curvature, weights) - slope) - weights
        then = loss(weights + step)
        # Of a quadratic a whole step is right; where it leads up, the way there does not at first.
        while height(weights + step, then[0]) > height(weights, lost) and np.abs(step).max() > _CLOSE:
            step = step / 2
            then = loss(weights + step)
        weights, (lost, slope, curvature) = weights + step, then
        if np.abs(step).max() <= _CLOSE:
            break
    pull = np.einsum("ij,j->i", curvature, weights) - slope
    return weights, Fit(known.curvature + curvature, known.pull + pull)


def loss_of(task: Task, arrays: DayArrays, logits: NDArray[np.float32]) -> Loss | None:
    """The loss of a day as its tests measure it, summed, with its gradient and curvature; ``None`` of nothing judged.

    Scores that are no numbers, which the gate blocks, say nothing of weights either: ``None`` too.

    Args:
        logits: of the members, ``[members, pairs]``.
    """
    if not np.isfinite(logits).all():
        return None
    losses: dict[LossName, Callable[[DayArrays, NDArray[np.int8], NDArray[np.float32]], Loss | None]] = {
        "binary": _binary, "softmax": _softmax,
    }  # fmt: skip
    return losses[task.loss](arrays, arrays.label_of(task.name), logits)


def _binary(arrays: DayArrays, label: NDArray[np.int8], logits: NDArray[np.float32]) -> Loss | None:
    """Log-loss of the rows that were judged."""
    judged = label >= 0
    if not judged.any():
        return None
    columns = logits[:, judged].astype(np.float64)
    positive = (label[judged] == 1).astype(np.float64)

    def terms(weights: Floats) -> Terms:
        logit = np.einsum("m,mp->p", weights, columns)
        share = np.exp(-np.logaddexp(0.0, -logit))
        lost = np.logaddexp(0.0, logit) - positive * logit
        return (
            float(lost.sum()),
            np.einsum("mp,p->m", columns, share - positive),
            np.einsum("mp,np->mn", columns * (share * (1 - share)), columns),
        )

    return terms


def _softmax(arrays: DayArrays, label: NDArray[np.int8], logits: NDArray[np.float32]) -> Loss | None:
    """−log softmax, the mean over a request's positives, of the requests with a positive and a negative candidate."""
    request = np.repeat(np.arange(arrays.requests), arrays.candidates)
    positive = label == 1
    positives = np.bincount(request, weights=positive, minlength=arrays.requests)
    judged = (positives > 0) & (positives < arrays.candidates)
    if not judged.any():
        return None
    chosen, sizes = judged[request], arrays.candidates[judged]
    starts = np.cumsum(sizes) - sizes
    columns = logits[:, chosen].astype(np.float64)
    taken = positive[chosen] / np.repeat(positives[judged], sizes)

    def terms(weights: Floats) -> Terms:
        logit = np.einsum("m,mp->p", weights, columns)
        logit -= np.repeat(np.maximum.reduceat(logit, starts), sizes)
        total = np.add.reduceat(np.exp(logit), starts)
        share = np.exp(logit) / np.repeat(total, sizes)
        means = np.add.reduceat(columns * share, starts, axis=1)
        return (
            float(np.log(total).sum() - (taken * logit).sum()),
            np.einsum("mp,p->m", columns, share - taken),
            np.einsum("mp,np->mn", columns * share, columns) - np.einsum("mr,nr->mn", means, means),
        )

    return terms


def _least(curvature: Floats, pull: Floats) -> Floats:
    """What makes ½ wᵀ·curvature·w − pull·w least, with none below zero."""
    free = np.ones(len(pull), bool)
    while True:
        weights = np.zeros(len(pull))
        weights[free] = np.linalg.solve(curvature[np.ix_(free, free)], pull[free])
        slope = np.einsum("ij,j->i", curvature, weights) - pull
        wrong = np.where(free, weights < -_CLOSE, slope < -_CLOSE * np.abs(pull).max())
        if not wrong.any():
            return np.maximum(weights, 0.0)
        # One at a time, the first: only so it always comes to an end (Murty 1974).
        first = int(np.argmax(wrong))
        free[first] = not free[first]
