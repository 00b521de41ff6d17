"""Measures of the predictions of clicks: AUC, GAUC, log-loss and calibration of a day's impressions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.config.measures import MEASURES, Measure, columns
from pipeline.evaluation import metrics
from pipeline.evaluation.measured import Evaluation, Measured, Parts, no_parts


class ImpressionMeasures(Measured):
    """Of impressions, each a request with one candidate: there are no ties to order, and no groups.

    Rows that a task did not judge (no purchase without a click) are not measured in it.
    """

    def evaluate(self, logits: NDArray[np.float32], groups: Mapping[str, NDArray[np.bool_]]) -> Evaluation:
        label, user, logits = self.label[self.judged], self.arrays.user[self.judged], logits[self.judged]
        if not len(label):
            names = columns(MEASURES["impressions"])
            return Evaluation(0, dict.fromkeys(names), dict.fromkeys(names, "no rows"))
        values: dict[str, float | int | None] = {
            "auc": metrics.auc(label, logits),
            "gauc": metrics.gauc(label, logits, user),
            "log_loss": float(metrics.log_losses(label, logits).mean()),
            "calibration": metrics.calibration(label, logits),
        }
        why = {"auc": "one class only", "gauc": "no user with both classes", "calibration": "no positives"}
        counts = {"positives": int((label == 1).sum()), "users": len(np.unique(user))}
        return Evaluation(len(label), values, {name: why[name] for name, v in values.items() if v is None}, counts)

    def parts(self, measure: Measure, logits: NDArray[np.float32]) -> Parts:
        label, user, logits = self.label[self.judged], self.users[self.judged], logits[self.judged]
        if measure.name == "log_loss":
            return Parts(metrics.log_losses(label, logits), np.ones(len(label)), user)
        if measure.name == "calibration":
            return Parts(metrics.sigmoid(logits), (label == 1).astype(np.float64), user)
        if measure.name == "gauc":
            values, sizes = metrics.auc_by_group(label, logits, user)
            known = ~np.isnan(values)
            return Parts((values * sizes)[known], sizes[known].astype(np.float64), np.unique(user)[known])
        raise no_parts(measure)
