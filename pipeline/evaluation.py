"""A day's test: from scores to measures, over the same rows for every experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.schema import DayArrays
from pipeline import metrics

HIT_RATES = (1, 3, 5, 10, 15)
LOWER_IS_BETTER = frozenset({"log_loss"})
COLUMNS = {
    "impressions": ("auc", "gauc", "log_loss", "calibration"),
    "ranking": ("requests", "covered", *(f"hit_{k}" for k in HIT_RATES), "composite", "log_loss", "auc"),
}


@dataclass(frozen=True)
class Evaluation:
    """Measures of one checkpoint on one day.

    Attributes:
        rows: tested impressions, or candidate rows.
        values: measure by name; ``None`` where it cannot be computed.
        reasons: why not, by name.
        counts: what was left out, and how much.
        groups: values by group of users (new teachers, old teachers with a new class, all others).
    """

    rows: int
    values: dict[str, float | int | None]
    reasons: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    groups: dict[str, dict[str, float | int | None]] = field(default_factory=dict)


def evaluate_impressions(arrays: DayArrays, logits: NDArray[np.float32]) -> Evaluation:
    """AUC, GAUC, log-loss and calibration of the day's impressions."""
    label = arrays.label
    if not len(label):
        return Evaluation(0, dict.fromkeys(COLUMNS["impressions"]), dict.fromkeys(COLUMNS["impressions"], "no rows"))
    values: dict[str, float | int | None] = {
        "auc": metrics.auc(label, logits),
        "gauc": metrics.gauc(label, logits, arrays.user),
        "log_loss": float(metrics.log_losses(label, logits).mean()),
        "calibration": metrics.calibration(label, logits),
    }
    why = {"auc": "one class only", "gauc": "no user with both classes", "calibration": "no positives"}
    counts = {"positives": int((label == 1).sum()), "users": len(np.unique(arrays.user))}
    return Evaluation(len(label), values, {name: why[name] for name, v in values.items() if v is None}, counts)


@dataclass(frozen=True)
class RequestScores:
    """What each request contributes to the measures of a ranking.

    Attributes:
        covered: a positive is among the candidates; without one a request is counted and left out.
        judged: a negative too; without one every rank is a hit, and AUC is not defined.
        best: rank of the best positive, from 0.
    """

    covered: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    best: NDArray[np.int64]
    log_loss: NDArray[np.float64]
    auc: NDArray[np.float64]

    def hits(self, k: int) -> NDArray[np.bool_]:
        return self.best < k

    def values(self, composite: Mapping[int, float], chosen: NDArray[np.bool_]) -> dict[str, float | int | None]:
        """Means over the chosen requests that are covered; AUC over those of them with a negative too."""
        covered, judged = chosen & self.covered, chosen & self.judged
        values: dict[str, float | int | None] = {"requests": int(chosen.sum()), "covered": int(covered.sum())}
        hits = {k: float(self.hits(k)[covered].mean()) for k in {*HIT_RATES, *composite}} if covered.any() else {}
        for k in HIT_RATES:
            values[f"hit_{k}"] = hits.get(k)
        values["composite"] = sum(weight * hits[k] for k, weight in composite.items()) if hits else None
        values["log_loss"] = float(self.log_loss[covered].mean()) if hits else None
        values["auc"] = float(self.auc[judged].mean()) if judged.any() else None
        return values


def request_scores(arrays: DayArrays, logits: NDArray[np.float32], key_rank: NDArray[np.int32]) -> RequestScores:
    """Contributions of each request; ``key_rank`` [items] orders candidates of equal score."""
    sizes = np.diff(arrays.offsets)
    positive = arrays.label == 1
    request = np.repeat(np.arange(len(sizes)), sizes)
    positives = np.bincount(request, weights=positive, minlength=len(sizes))
    ranks = metrics.ranks_in_request(logits, arrays.offsets, key_rank[arrays.pair_item])
    request_auc = np.full(len(sizes), np.nan)
    request_auc[sizes > 0] = metrics.auc_by_group(positive, logits, request)[0]
    return RequestScores(
        covered=positives > 0,
        judged=(positives > 0) & (positives < sizes),
        best=metrics.best_positive_ranks(arrays.label, ranks, arrays.offsets),
        log_loss=metrics.softmax_losses(arrays.label, logits, arrays.offsets),
        auc=request_auc,
    )


def evaluate_ranking(
    arrays: DayArrays,
    logits: NDArray[np.float32],
    key_rank: NDArray[np.int32],
    composite: Mapping[int, float],
    groups: Mapping[str, NDArray[np.bool_]] | None = None,
) -> Evaluation:
    """Hit rates over covered requests, their composite, −log softmax over all candidates, mean AUC of requests.

    Requests without a positive among their candidates are counted and left out, those with nothing but positives are
    counted and left out of the AUC.
    ``hit_k_all`` is over all requests: an uncovered one is a miss.
    """
    scores = request_scores(arrays, logits, key_rank)
    everyone = np.ones(arrays.requests, bool)
    values = scores.values(composite, everyone)
    all_positive = int((scores.covered & ~scores.judged).sum())
    for k in HIT_RATES:
        hits = int((scores.hits(k) & scores.covered).sum())
        values[f"hit_{k}_all"] = hits / arrays.requests if arrays.requests else None
    reasons = {n: "no covered request" for n, v in values.items() if v is None}
    if values["auc"] is None and scores.covered.any():
        reasons["auc"] = "no request with a positive and a negative candidate"
    counts = {"not_covered": int((~scores.covered).sum()), "all_positive": all_positive}
    by_group = {name: scores.values(composite, chosen) for name, chosen in (groups or {}).items()}
    return Evaluation(arrays.pairs, values, reasons, counts, by_group)


def unit_values(
    kind: Literal["ranking", "impressions"], measure: str, arrays: DayArrays,
    logits: NDArray[np.float32], key_rank: NDArray[np.int32], composite: Mapping[int, float],
) -> NDArray[np.float64]:  # fmt: skip
    """A measure's value of each request (ranking) or impression; its mean is the measure. NaN = left out.

    Raises ``ValueError`` for a measure that is no such mean (AUC and GAUC of impressions).
    """
    if kind == "impressions":
        if measure != "log_loss":
            raise ValueError(f"'{measure}' of impressions is no mean over rows")
        return metrics.log_losses(arrays.label, logits)
    scores = request_scores(arrays, logits, key_rank)
    values: NDArray[Any]
    if measure.startswith("hit_"):
        values = scores.hits(int(measure.removeprefix("hit_"))).astype(np.float64)
    elif measure == "composite":
        values = sum((w * scores.hits(k) for k, w in composite.items()), np.zeros(arrays.requests))
    elif measure in ("log_loss", "auc"):
        values = getattr(scores, measure)
    else:
        raise ValueError(f"'{measure}' is not a measure of rankings")
    return np.where(scores.judged if measure == "auc" else scores.covered, values, np.nan)
