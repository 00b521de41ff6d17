"""Measures of labelled rows: those of predictions of clicks, of rows that are nobody's or of groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.config.measures import MEASURES, Measure, columns
from pipeline.evaluation import metrics
from pipeline.evaluation.impressions import ImpressionMeasures
from pipeline.evaluation.measured import Evaluation, Parts

LOTS = 1 << 15
"""Rows, or groups, that a bootstrap draws one by one; more are dealt at random into so many lots, drawn whole.

Rows are independent of each other, so lots of them vary as they do, and a draw costs no more however many rows
a day has.
"""
_SEED = 20240226
"""Of the dealing: the same for every test, so that both models of a comparison have the same lots."""


class LabelledMeasures(ImpressionMeasures):
    """AUC, log-loss and calibration; where groups have several rows, GAUC too."""

    def evaluate(self, logits: NDArray[np.float32], groups: Mapping[str, NDArray[np.bool_]]) -> Evaluation:
        label, group, logits = self.label[self.judged], self.arrays.user[self.judged], logits[self.judged]
        if not len(label):
            names = columns(MEASURES["rows"])
            return Evaluation(0, dict.fromkeys(names), dict.fromkeys(names, "no rows"))
        grouped = self._number < len(self.label)
        values: dict[str, float | int | None] = {
            "auc": metrics.auc(label, logits),
            "gauc": metrics.gauc(label, logits, group) if grouped else None,
            "log_loss": float(metrics.log_losses(label, logits).mean()),
            "calibration": metrics.calibration(label, logits),
        }
        no_group = "no group with both classes" if grouped else "no group has several rows (`rows.group`)"
        why = {"auc": "one class only", "gauc": no_group, "calibration": "no positives"}
        counts = {"positives": int((label == 1).sum())} | ({"groups": self._number} if grouped else {})
        return Evaluation(len(label), values, {name: why[name] for name, v in values.items() if v is None}, counts)

    def parts(self, measure: Measure, logits: NDArray[np.float32]) -> Parts:
        found = super().parts(measure, logits)
        return replace(found, user=self._lot[found.user])

    @property
    def units(self) -> NDArray[np.int64]:
        """What is drawn of each row: itself, its group, or the lot that these were dealt into."""
        return self._lot[self.users]

    @cached_property
    def _number(self) -> int:
        """Of groups, or of rows that are by themselves."""
        return len(np.unique(self.arrays.user))

    @cached_property
    def _lot(self) -> NDArray[np.int64]:
        """The lot of each group or row."""
        if self._number <= LOTS:
            return np.arange(self._number)
        return np.random.default_rng(_SEED).permutation(self._number) % LOTS
