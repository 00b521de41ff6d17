"""Calibration of tasks whose labels come late, by how old these were: when a day was tested, and as they are now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.tasks import SCORE
from pipeline.config.measures import in_task
from pipeline.days import Day
from pipeline.evaluation import metrics
from pipeline.evaluation.records import TestRecord
from pipeline.features.arrays import files as day_arrays
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref, parse_id
from pipeline.storage.artifacts.kinds import FEATURES, TEST
from pipeline.training import logits
from pipeline.training.joint import with_joint_logits, with_joints
from pipeline.training.label_age import label_age

DAYS = 10
"""Tested days that are shown."""


@dataclass(frozen=True)
class LabelAge:
    """One task of an experiment on one tested day.

    Attributes:
        tested_at, now_at: days after the day at which its labels were read.
        tested, now: mean prediction over the share of positives, by these labels; ``None`` where it cannot be told.
    """

    day: Day
    experiment: str
    task: str
    tested_at: int
    tested: float | None
    now_at: int
    now: float | None


def label_ages(context: JobContext, today: Day) -> list[LabelAge]:
    """The last tested days until ``today`` of every experiment, of each task that is late or told together with one."""
    config = context.config
    late = {name for name, task in config.tasks.items() if task.late is not None}
    tasks = [*late, *(name for name, chain in config.joints.items() if name != SCORE and late & set(chain))]
    found = []
    for experiment in config.experiments if tasks else ():
        days = [day for day in context.store.days(TEST, context.job, experiment) if day <= today][-DAYS:]
        found += [each for day in days for each in _of_day(context, day, experiment, tasks)]
    return found


def _of_day(context: JobContext, day: Day, experiment: str, tasks: list[str]) -> Iterator[LabelAge]:
    test = context.store.current(Ref(TEST, context.job, day, experiment))
    now = context.store.current(Ref(FEATURES, context.job, day))
    made_of = next((e for e in test.manifest.inputs if parse_id(e.id)[0].kind == FEATURES), None) if test else None
    then = context.store.load(made_of.id) if made_of is not None else None
    if test is None or now is None or then is None:
        return
    values, ages = TestRecord.of(test).values, [label_age(context, each) for each in (then, now)]
    again = _calibration_now(context, test, now) if now.id != then.id else {}
    for task in tasks:
        name = in_task(task, "calibration", context.config.judged)
        if name in values:
            told = values[name]
            yield LabelAge(
                day, experiment, task, ages[0], told, ages[1], again.get(task) if now.id != then.id else told
            )  # fmt: skip


def _calibration_now(context: JobContext, test: Artifact, features: Artifact) -> dict[str, float | None]:
    """By task, the kept predictions of a test against the labels as they are now; none where its rows are others."""
    if test.manifest.pruned or features.manifest.pruned:
        return {}
    scores = with_joint_logits(context.config, logits.read(test))
    arrays = with_joints(context.config, day_arrays.read(features))
    if any(len(of_task) != arrays.pairs for of_task in scores.values()):
        return {}
    found = {}
    for task, of_task in scores.items():
        judged = arrays.label_of(task) >= 0
        found[task] = metrics.calibration(arrays.label_of(task)[judged], of_task[judged]) if judged.any() else None
    return found
