"""Measures of rows that were scored, where they came with labels: a few bytes a row are kept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config.job import JobConfig
from pipeline.config.measures import in_task
from pipeline.evaluation import metrics


class MeasuredRows:
    """Labels and logits of the tasks that a model was asked, as the pieces come.

    Args:
        labels: the column of each task's label, of all of the job's.
        tasks: those that the model answers.
    """

    def __init__(self, config: JobConfig, labels: Mapping[str, str], tasks: list[str]) -> None:
        self._config, self._labels = config, labels
        self._label: dict[str, list[NDArray[np.int8]]] = {task: [] for task in tasks}
        self._logit: dict[str, list[NDArray[np.float32]]] = {task: [] for task in tasks}

    def add(self, rows: pa.Table, logits: Mapping[str, NDArray[np.float32]]) -> None:
        """Scored rows, ``[rows]`` a task; those without a label are not counted."""
        for task, kept in self._label.items():
            label = self._judged(rows, task)
            if label is not None:
                kept.append(label[label >= 0])
                self._logit[task].append(logits[task][label >= 0])

    def measures(self) -> dict[str, float | int | None]:
        """By name; those of several tasks as ``task/measure``. Empty where no row had a label."""
        found: dict[str, float | int | None] = {}
        for task, parts in self._label.items():
            label = np.concatenate(parts) if parts else np.zeros(0, np.int8)
            if not len(label):
                continue
            logit = np.concatenate(self._logit[task])
            own = {
                "labelled": len(label), "auc": metrics.auc(label, logit),
                "log_loss": float(metrics.log_losses(label, logit).mean()),
                "calibration": metrics.calibration(label, logit),
            }  # fmt: skip
            found |= {in_task(task, name, self._config.task_names): value for name, value in own.items()}
        return found

    def _judged(self, rows: pa.Table, task: str) -> NDArray[np.int8] | None:
        """The task's labels as training reads them, −1 where a row has none; ``None`` where their column is absent."""
        settings = self._config.tasks.get(task)
        given = self._labels[settings.given] if settings is not None and settings.given is not None else None
        if not {self._labels[task], *([given] if given is not None else [])} <= set(rows.column_names):
            return None
        label = _filled(rows, self._labels[task])
        return label if given is None else np.where(_filled(rows, given) == 1, label, np.int8(-1))


def _filled(rows: pa.Table, name: str) -> NDArray[np.int8]:
    found: NDArray[np.int8] = pc.fill_null(rows[name], -1).to_numpy().astype(np.int8)
    return found
