"""Measures of requests that have candidates: how often what was set is among the first, and in which order they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.schema import DayArrays
from pipeline.config.measures import HIT_RATES, Measure
from pipeline.evaluation import metrics
from pipeline.evaluation.measured import Evaluation, Measured, Parts, no_parts

GROUPS = {"new_user": "new teachers", "new_owner": "new classes", "known": "all others"}
"""How groups of requests are called, in the order in which they are shown."""


@dataclass(frozen=True)
class RequestScores:
    """What each request contributes to the measures of its ranking.

    Attributes:
        covered: a positive is among the candidates.
        judged: a negative too. Without either nothing can be told of an order: such requests are counted and left out.
        best: rank of the best positive, from 0.
    """

    covered: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    best: NDArray[np.int64]
    log_loss: NDArray[np.float64]
    auc: NDArray[np.float64]

    def hits(self, k: int) -> NDArray[np.bool_]:
        return self.best < k

    @property
    def all_positive(self) -> NDArray[np.bool_]:
        """Nothing but positives among the candidates: every order is a hit."""
        return self.covered & ~self.judged

    def values(self, composite: Mapping[int, float], chosen: NDArray[np.bool_]) -> dict[str, float | int | None]:
        """Counts of the chosen requests, and means over those of them that can be judged."""
        judged = chosen & self.judged
        values: dict[str, float | int | None] = {
            "requests": int(chosen.sum()), "covered": int((chosen & self.covered).sum()),
        }  # fmt: skip
        hits = {k: float(self.hits(k)[judged].mean()) for k in {*HIT_RATES, *composite}} if judged.any() else {}
        for k in HIT_RATES:
            values[f"hit_{k}"] = hits.get(k)
        values["composite"] = sum(weight * hits[k] for k, weight in composite.items()) if hits else None
        values["log_loss"] = float(self.log_loss[judged].mean()) if hits else None
        values["auc"] = float(self.auc[judged].mean()) if hits else None
        return values


def request_scores(
    arrays: DayArrays, label: NDArray[np.int8], logits: NDArray[np.float32], key_rank: NDArray[np.int32]
) -> RequestScores:
    """Contributions of each request; ``key_rank`` [items] orders candidates of equal score."""
    sizes = np.diff(arrays.offsets)
    positive = label == 1
    request = np.repeat(np.arange(len(sizes)), sizes)
    positives = np.bincount(request, weights=positive, minlength=len(sizes))
    ranks = metrics.ranks_in_request(logits, arrays.offsets, key_rank[arrays.pair_item])
    request_auc = np.full(len(sizes), np.nan)
    request_auc[sizes > 0] = metrics.auc_by_group(positive, logits, request)[0]
    return RequestScores(
        covered=positives > 0,
        judged=(positives > 0) & (positives < sizes),
        best=metrics.best_positive_ranks(label, ranks, arrays.offsets),
        log_loss=metrics.softmax_losses(label, logits, arrays.offsets),
        auc=request_auc,
    )


class HomeworkMeasures(Measured):
    """Hit rates, their composite, −log softmax over all candidates and mean AUC, over requests that can be judged.

    Requests whose candidates hold no positive, or nothing else, are counted and left out.
    ``hit_k_all``: one without a positive is a miss instead.
    """

    def evaluate(self, logits: NDArray[np.float32], groups: Mapping[str, NDArray[np.bool_]]) -> Evaluation:
        arrays, composite = self.arrays, self.composite
        scores = request_scores(arrays, self.label, logits, self.key_rank)
        everyone = np.ones(arrays.requests, bool)
        values = scores.values(composite, everyone)
        all_positive = int(scores.all_positive.sum())
        asked = arrays.requests - all_positive
        for k in HIT_RATES:
            values[f"hit_{k}_all"] = int((scores.hits(k) & scores.judged).sum()) / asked if asked else None
        why = "no request with a positive and a negative candidate" if scores.covered.any() else "no covered request"
        reasons = {name: why for name, value in values.items() if value is None}
        counts = {"not_covered": int((~scores.covered).sum()), "all_positive": all_positive}
        by_group = {
            name: {**scores.values(composite, chosen), "all_positive": int((chosen & scores.all_positive).sum())}
            for name, chosen in groups.items()
        }
        return Evaluation(arrays.pairs, values, reasons, counts, by_group)

    def parts(self, measure: Measure, logits: NDArray[np.float32]) -> Parts:
        scores = request_scores(self.arrays, self.label, logits, self.key_rank)
        kept = scores.judged
        if measure.top is not None:
            values = (scores.hits(measure.top) & scores.judged).astype(np.float64)
            kept = ~scores.all_positive if measure.everyone else scores.judged
        elif measure.name == "composite":
            values = np.zeros(self.arrays.requests)
            for k, weight in self.composite.items():
                values += weight * scores.hits(k)
        elif measure.name in ("log_loss", "auc"):
            values = {"log_loss": scores.log_loss, "auc": scores.auc}[measure.name]
        else:
            raise no_parts(measure)
        return Parts(values[kept], np.ones(int(kept.sum())), self.users[kept])
