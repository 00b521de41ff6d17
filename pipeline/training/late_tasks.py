"""Tasks whose labels come late: which rows teach them on a day, and as how many positives one counts."""

from __future__ import annotations

from collections.abc import Mapping
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
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import FEATURES
from pipeline.training.chain import Chain
from pipeline.training.joint import joint_label


def late_of(config: JobConfig, experiment: str) -> dict[str, Late]:
    """By task that an experiment learns by gradients what is late of it."""
    if registry.trained_by(config.experiments[experiment].model) != registry.KERAS:
        return {}
    learnt = {task.name for task in config.tasks_of(experiment)}
    return {name: task.late for name, task in config.tasks.items() if task.late is not None and name in learnt}


def waited_days(config: JobConfig, day: Day, experiment: str) -> list[Day]:
    """The earlier days whose rows teach tasks on ``day`` that had to wait for their labels, ascending."""
    return sorted({day.plus(-late.wait_days) for late in late_of(config, experiment).values() if late.wait_days})


def waited(context: JobContext, day: Day, experiment: str) -> dict[Day, Artifact]:
    """The arrays of those days, as they now are; only of days that the chain has trained its other tasks on."""
    chain, found = Chain.of(context, experiment), {}
    for past in waited_days(context.config, day, experiment):
        features = context.store.current(Ref(FEATURES, context.job, past))
        if features is not None and chain.trained(past) is not None:
            found[past] = features
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

    def of_rows(self, arrays: DayArrays, age: int, wait: int) -> DayArrays:
        """The rows of a day ``wait`` days ago, 0 of the day itself: a task is asked on the one day that it waits for.

        The day itself teaches all tasks that wait for none; what waits is withheld of it.

        Args:
            age: of the labels when they were read, in days.
        """
        if not self.late:
            return arrays
        columns = [self._column(arrays, name, age, wait) for name in arrays.tasks]
        return replace(arrays, label=np.stack(columns, axis=1))

    def _column(self, arrays: DayArrays, name: str, age: int, wait: int) -> NDArray[np.float32]:
        late = self.late.get(name, Late())
        label = arrays.label_of(name).astype(np.float32)
        if late.wait_days != wait:
            return np.full_like(label, NOT_JUDGED if wait else WITHHELD)
        # A loss is a line in its label, so that the mean over what has come and what has not is that of the truth.
        counted = np.where(label == 1, np.float32(late.counts_as(age)), label)
        given = self.tasks[name].given if name in self.tasks else None
        if not wait or not self.entire or given is None:
            return counted
        # What it is given is not asked of these rows: its label is of both.
        chain = [arrays.label_of(given)]
        while (before := self.tasks[given].given) is not None:
            given = before
            chain.insert(0, arrays.label_of(given))
        return np.asarray(joint_label([*chain, counted]), np.float32)
