"""What is asked of a row beside the first label: several tasks, learnt together or apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator

from models.tasks import SCORE
from pipeline.config.base import Later, Strict
from pipeline.config.labels import Labels


class Late(Strict):
    """Labels that come after their row, as a purchase comes after its click.

    Args:
        wait_days: whole days after which a day's rows teach the task, by the labels as they then are; the job's other
            tasks are taught at once.
        arrived: the share of all positives that have come when a day's labels are read on the next day, the day after
            that, and so on; older ones have all come. A positive counts as so many more, and a negative as so much
            less, that what is learnt is right on average.
    """

    wait_days: int = Field(default=0, ge=0, le=60)
    arrived: tuple[float, ...] = ()

    @field_validator("arrived")
    @classmethod
    def _shares(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if any(not 0 < share <= 1 for share in value) or sorted(value) != list(value):
            raise ValueError(f"{list(value)} are no shares above 0 and up to 1 that grow with the days")
        return value

    def counts_as(self, age: int) -> float:
        """How many positives one counts as whose labels were read so many days after its day, 1 at least."""
        return 1.0 / self.arrived[age - 1] if age <= len(self.arrived) else 1.0


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
        late: where its labels come after the row, what that changes for models that learn by gradients.
    """

    label: str
    loss: Literal["binary"] = "binary"
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    given: str | None = None
    joint: Annotated[str | None, Later()] = None
    late: Annotated[Late | None, Later()] = None


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


def check_late(tasks: Mapping[str, TaskSettings], labels: Labels | None, feature_days: int | str) -> None:
    """What waits for labels has them read again by then, and its rows kept; else ``ValueError``, naming the setting."""
    for name, task in tasks.items():
        wait = task.late.wait_days if task.late is not None else 0
        if task.late is not None and not (wait or task.late.arrived):
            raise ValueError(f"tasks.{name}.late: says nothing; give it `wait_days` or `arrived`, or leave it out")
        if not wait:
            continue
        if labels is None or labels.held_days or labels.delay_days > wait:
            raise ValueError(
                f"tasks.{name}.late.wait_days: after {wait} days the labels have to have been read again; declare "
                f"`labels: {{delay_days: {wait}, until_then: train}}`, or fewer days"
            )
        if feature_days != "all" and int(feature_days) <= wait:
            raise ValueError(
                f"retention.feature_days: {feature_days} is too few for tasks.{name}.late.wait_days; keep more than "
                f"{wait}"
            )
