"""Measures of rows that were scored, where they came with labels: a few bytes a row are kept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.tasks import SCORE
from pipeline.config.job import JobConfig
from pipeline.config.measures import in_task
from pipeline.evaluation import metrics
from pipeline.training.joint import joint_label


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
            own: dict[str, float | int | None] = {
                "labelled": len(label), "auc": metrics.auc(label, logit),
            }  # fmt: skip
            if task != SCORE:
                own |= {
                    "log_loss": float(metrics.log_losses(label, logit).mean()),
                    "calibration": metrics.calibration(label, logit),
                }
            found |= {in_task(task, name, self._config.judged): value for name, value in own.items()}
        return found

    def _judged(self, rows: pa.Table, task: str) -> NDArray[np.int8] | None:
        """The task's labels as training reads them, −1 where a row has none; ``None`` where their column is absent."""
        config = self._config
        settings, chain = config.tasks.get(task), config.joints.get(task, (task,))
        if settings is not None and settings.given is not None:
            chain = (settings.given, task)
        if not {self._labels[each] for each in chain} <= set(rows.column_names):
            return None
        labels = [_filled(rows, self._labels[each]) for each in chain]
        if task in config.joints:
            return joint_label(labels)
        return labels[0] if len(labels) == 1 else np.where(labels[0] == 1, labels[1], np.int8(-1))


def _filled(rows: pa.Table, name: str) -> NDArray[np.int8]:
    found: NDArray[np.int8] = pc.fill_null(rows[name], -1).to_numpy().astype(np.int8)
    return found
