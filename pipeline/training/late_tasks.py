"""Tasks whose labels come late: which rows teach them on a day, and as how many positives one counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models import registry
from models.schema import DayArrays
from models.tasks import NOT_JUDGED, WITHHELD
from pipeline.config.job import JobConfig
from pipeline.config.tasks import Late, TaskSettings
from pipeline.days import Day
from pipeline.job import JobContext
from pipeline.training.chain import Chain
from pipeline.training.joint import joint_label


def late_of(config: JobConfig, experiment: str) -> dict[str, Late]:
    """By task that an experiment learns by gradients what is late of it."""
    if registry.trained_by(config.experiments[experiment].model) != registry.KERAS:
        return {}
    learnt = {task.name for task in config.tasks_of(experiment)}
    return {name: task.late for name, task in config.tasks.items() if task.late is not None and name in learnt}


def waited_days(context: JobContext, day: Day, experiment: str) -> dict[Day, list[str]]:
    """By earlier day, ascending, the tasks that its rows teach on ``day``: those whose labels have come since the day
    that was trained before it. Only days that the chain has trained its other tasks on."""
    late = {name: each for name, each in late_of(context.config, experiment).items() if each.wait_days}
    chain = Chain.of(context, experiment)
    parent = chain.parent(day) if late else None
    if parent is None:
        return {}
    found: dict[Day, list[str]] = {}
    for past in chain.days():
        due = [name for name, each in late.items() if parent.ref.day < past.plus(each.wait_days) <= day]
        if due:
            found[past] = due
    return found


@dataclass(frozen=True)
class LateLabels:
    """The labels of an experiment's rows as they are trained.

    Attributes:
        late: by task (:func:`late_of`).
        entire: whether a task is learnt together with what it is given, of all rows.
    """

    tasks: Mapping[str, TaskSettings]
    late: Mapping[str, Late]
    entire: bool

    def of_rows(self, arrays: DayArrays, age: int, asked: Collection[str] | None = None) -> DayArrays:
        """A day's own rows, which teach all tasks that do not wait; or those of an earlier day, which teach others.

        Args:
            age: of the labels when they were read, in days.
            asked: the tasks that an earlier day teaches.
        """
        columns = [self._column(arrays, name, age, asked) for name in arrays.tasks]
        return replace(arrays, label=np.stack(columns, axis=1))

    def _column(
        self, arrays: DayArrays, name: str, age: int, asked: Collection[str] | None
    ) -> NDArray[np.float32]:
        late = self.late.get(name, Late())
        label = arrays.label_of(name).astype(np.float32)
        if asked is None and late.wait_days:
            return np.full_like(label, WITHHELD)
        if asked is not None and name not in asked:
            return np.full_like(label, NOT_JUDGED)
        # A loss is a line in its label, so that the mean over what has come and what has not is that of the truth.
        counted = np.where(label == 1, np.float32(late.counts_as(age)), label)
        if asked is None or not self.entire:
            return counted
        # What it is given is not asked of these rows: its label is of both.
        chain, given = [counted], self.tasks[name].given
        while given is not None:
            chain.insert(0, arrays.label_of(given))
            given = self.tasks[given].given
        return np.asarray(joint_label(chain), np.float32)
