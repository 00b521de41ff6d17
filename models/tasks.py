"""What a model is asked of a pair: one task or several, each with a label and a loss of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models.schema import ONLY

LossName = Literal["binary", "softmax"]


@dataclass(frozen=True)
class Task:
    """One question.

    Attributes:
        name: of its logits, and of the column of labels in a day's arrays.
        loss: ``binary``, of every pair by itself, or ``softmax`` over a request's candidates.
        weight: of its loss in the sum that a step lowers.
    """

    name: str = ONLY
    loss: LossName = "binary"
    weight: float = 1.0
