"""What a model is asked of a pair: one task or several, each with a label and a loss of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from models.schema import ONLY

LossName = Literal["binary", "softmax", "in_batch", "in_batch_log_q"]
IN_BATCH: Final = frozenset({"in_batch", "in_batch_log_q"})
"""Losses of each positive row against the items of the other rows of its batch."""


SCORE = "score"
"""What is called what ranks where it is not the first task."""


NOT_JUDGED, WITHHELD = -1, -2
"""Labels: what cannot be said of a row (a purchase without a click), and what is not asked of it in training."""


@dataclass(frozen=True)
class Task:
    """One question.

    Attributes:
        name: of its logits, and of the column of labels in a day's arrays.
        loss: ``binary``, of every pair by itself, ``softmax`` over a request's candidates, or ``in_batch``: over the
            items of all rows of a batch, ``in_batch_log_q`` less the logarithm of how often each is among them.
        weight: of its loss in the sum that a step lowers.
        given: an earlier task that has to come true for this one to be judged.
        joint: what is called that both come true, where that is answered and measured too.
    """

    name: str = ONLY
    loss: LossName = "binary"
    weight: float = 1.0
    given: str | None = None
    joint: str | None = None


@dataclass(frozen=True)
class Score:
    """What ranks where it is not the first task: the product of powers of the tasks' probabilities.

    Attributes:
        powers: by task.
        loss: what the loss of the score itself weighs in what a step lowers; its label is that of the last of its tasks
            and of all that this is given.
    """

    powers: Mapping[str, float]
    loss: float = 0.0
