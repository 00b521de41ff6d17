"""Which measures a kind of request has, and a test's whole evaluation, task by task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import DayArrays
from pipeline.config.measures import in_task
from pipeline.config.requests import Kind
from pipeline.evaluation.homework import HomeworkMeasures
from pipeline.evaluation.impressions import ImpressionMeasures
from pipeline.evaluation.labelled import LabelledMeasures
from pipeline.evaluation.measured import Evaluation, Measured

MEASURED: Mapping[Kind, type[Measured]] = {
    "ranking": HomeworkMeasures, "impressions": ImpressionMeasures, "rows": LabelledMeasures,
}  # fmt: skip


def evaluate(
    kind: Kind, arrays: DayArrays, key_rank: NDArray[np.int32], composite: Mapping[int, float],
    logits: NDArray[np.float32], tasks: Sequence[str], groups: Mapping[str, NDArray[np.bool_]],
) -> Evaluation:  # fmt: skip
    """The measures of all tasks; what a job with several tasks measures is named ``task/measure``.

    Args:
        logits: ``[pairs, tasks]``.
        tasks: whose logits they are.
    """
    found = {
        task: MEASURED[kind](arrays, task, key_rank, composite).evaluate(logits[:, number], groups)
        for number, task in enumerate(tasks)
    }

    def named(field: str) -> dict[str, Any]:
        return {
            in_task(task, name, arrays.tasks): value
            for task, each in found.items() for name, value in getattr(each, field).items()
        }  # fmt: skip

    by_group = {
        group: {
            in_task(task, name, arrays.tasks): value
            for task, each in found.items() for name, value in each.groups.get(group, {}).items()
        }
        for group in dict.fromkeys(group for each in found.values() for group in each.groups)
    }  # fmt: skip
    rows = max(each.rows for each in found.values())
    return Evaluation(rows, named("values"), named("reasons"), named("counts"), by_group)
