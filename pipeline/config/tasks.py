"""What is asked of a row beside the first label: several tasks, learnt together or apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from pipeline.config.base import Strict


class TaskSettings(Strict):
    """One task.

    Args:
        label: column of the rows' table, 0 or 1. That of the first task is the job's own, which histories and rates
            are of.
        loss: of a row, by itself.
        weight: of its loss in what a training step lowers.
        given: an earlier task without whose label there is none of this one (a purchase needs a click). The task is
            learnt and measured of the rows in which that label is set; a row that has this one alone is left out and
            counted.
    """

    label: str
    loss: Literal["binary"] = "binary"
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    given: str | None = None


def check_givens(tasks: Mapping[str, TaskSettings]) -> None:
    """A task is given an earlier one; raises ``ValueError`` naming the setting."""
    earlier: list[str] = []
    for name, task in tasks.items():
        if task.given is not None and task.given not in earlier:
            names = f"one of {', '.join(earlier)}" if earlier else "the first task is given none; leave it out"
            raise ValueError(f"tasks.{name}.given: '{task.given}' is no task that stands before it; {names}")
        earlier.append(name)
    labels = [task.label for task in tasks.values()]
    for name, task in tasks.items():
        if labels.count(task.label) > 1:
            raise ValueError(f"tasks.{name}.label: '{task.label}' is the label of another task too")
