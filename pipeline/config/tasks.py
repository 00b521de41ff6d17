"""What is asked of a row beside the first label: several tasks, learnt together or apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from models.tasks import SCORE
from pipeline.config.base import Later, Strict


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
        joint: what it is called that this task and all that it is given come true (a purchase of all impressions, not
            of the clicked ones): the exported model answers it, and it is measured, over all rows.
    """

    label: str
    loss: Literal["binary"] = "binary"
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    given: str | None = None
    joint: Annotated[str | None, Later()] = None


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
    for name, task in tasks.items():
        if task.joint is None:
            continue
        if task.given is None:
            raise ValueError(f"tasks.{name}.joint: the task is `given` none, so it is alone; leave '{task.joint}' out")
        others = [SCORE, *tasks, *(each.joint for other, each in tasks.items() if other != name and each.joint)]
        if task.joint in others:
            raise ValueError(f"tasks.{name}.joint: '{task.joint}' is called something else already; take another name")


def check_score(score: Mapping[str, float], tasks: Mapping[str, TaskSettings]) -> None:
    """A score is of tasks, each to a power that counts; raises ``ValueError`` naming the setting."""
    if not score:
        return
    if SCORE in tasks:
        raise ValueError(f"tasks.{SCORE}: is what the product of `score` is called; give the task another name")
    for name, power in score.items():
        if name not in tasks:
            known = ", ".join(tasks) or "none, as the job has no `tasks`"
            raise ValueError(f"score.{name}: is no task; the job's tasks: {known}")
        if not 0 < power < math.inf:
            raise ValueError(f"score.{name}: {power:g} is no power above 0; leave out what does not count")


def joints(tasks: Mapping[str, TaskSettings], score: Mapping[str, float]) -> dict[str, tuple[str, ...]]:
    """What is answered and measured beside the tasks, by name: the tasks that all have to come true.

    A score is judged by the last of its tasks and all that this is given.
    """
    chains: dict[str, tuple[str, ...]] = {}
    for name, task in tasks.items():
        chains[name] = (*(chains[task.given] if task.given is not None else ()), name)
    found = {task.joint: chains[name] for name, task in tasks.items() if task.joint is not None}
    return found | ({SCORE: chains[[name for name in tasks if name in score][-1]]} if score else {})
