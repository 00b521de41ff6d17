"""The labels of a day's rows, of every task, and which rows cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config.tasks import TaskSettings
from pipeline.features.frames.from_arrow import column_of
from pipeline.features.rows.day import flat


@dataclass(frozen=True)
class Labelled:
    """Rows and what became of them.

    Attributes:
        table: the rows whose labels can be.
        label: int8 ``[rows]`` of the first task, 1 positive.
        further: of the others by name, -1 where a task was not judged.
        left_out: rows with a label but not the one that it is given, by what is lacking. They are a mistake of the log,
            so nothing is learnt of them.
    """

    table: pa.Table
    label: NDArray[np.int8]
    further: Mapping[str, NDArray[np.int8]]
    left_out: Mapping[str, int]


def labelled(table: pa.Table, label: str, tasks: Mapping[str, TaskSettings]) -> Labelled:
    """The rows of a table by the job's tasks; ``label`` is the column of the first."""
    if len(tasks) < 2:
        return Labelled(table, _column(table, label), {}, {})
    labels = {name: _column(table, task.label) for name, task in tasks.items()}
    possible, left_out = np.ones(table.num_rows, bool), {}
    for name, task in tasks.items():
        if task.given is not None:
            alone = (labels[name] == 1) & (labels[task.given] != 1)
            left_out[f"{name}_without_{task.given}"] = int(alone.sum())
            possible &= ~alone
    labels = {name: each[possible] for name, each in labels.items()}
    judged = dict(labels)
    for name, task in tasks.items():
        if task.given is not None:
            judged[name] = np.where(labels[task.given] == 1, labels[name], np.int8(-1))
    first, *others = tasks
    return Labelled(table.filter(pa.array(possible)), judged[first], {name: judged[name] for name in others}, left_out)


def _column(table: pa.Table, name: str) -> NDArray[np.int8]:
    return flat(column_of(table, name)).astype(np.int8)
