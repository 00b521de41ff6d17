"""Which measures a kind of request has, and a test's whole evaluation, task by task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import DayArrays
from pipeline.config.measures import in_task, of_job
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
    logits: Mapping[str, NDArray[np.float32]], groups: Mapping[str, NDArray[np.bool_]],
) -> Evaluation:  # fmt: skip
    """The measures of all tasks, and of what is measured beside them, named ``task/measure`` where there are several.

    Args:
        logits: ``[pairs]`` by task.
    """
    found = {
        task: MEASURED[kind](arrays, task, key_rank, composite).evaluate(scores, groups)
        for task, scores in logits.items()
    }
    known = of_job(kind, arrays.tasks)

    def named(field: str) -> dict[str, Any]:
        return {
            in_task(task, name, arrays.tasks): value
            for task, each in found.items() for name, value in getattr(each, field).items()
            if field == "counts" or in_task(task, name, arrays.tasks) in known
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
