"""A day's test: from scores to measures, over the same rows for every experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.schema import DayArrays
from pipeline.config.measures import HIT_RATES, Kind, Measure, columns
from pipeline.evaluation import metrics


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
        names = columns("impressions")
        return Evaluation(0, dict.fromkeys(names), dict.fromkeys(names, "no rows"))
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
    """Hit rates, their composite, −log softmax over all candidates and mean AUC, over requests that can be judged.

    Requests whose candidates hold no positive, or nothing else, are counted and left out.
    ``hit_k_all``: one without a positive is a miss instead.
    """
    scores = request_scores(arrays, logits, key_rank)
    everyone = np.ones(arrays.requests, bool)
    values = scores.values(composite, everyone)
    all_positive = int(scores.all_positive.sum())
    asked = arrays.requests - all_positive
    for k in HIT_RATES:
        values[f"hit_{k}_all"] = int((scores.hits(k) & scores.judged).sum()) / asked if asked else None
    why = "no request with a positive and a negative candidate" if scores.covered.any() else "no covered request"
    reasons = {name: why for name, value in values.items() if value is None}
    counts = {"not_covered": int((~scores.covered).sum()), "all_positive": all_positive}
    by_group = {name: scores.values(composite, chosen) for name, chosen in (groups or {}).items()}
    return Evaluation(arrays.pairs, values, reasons, counts, by_group)


@dataclass(frozen=True)
class Parts:
    """What rows, requests or users add to a measure: it is ``total.sum() / count.sum()``. What is left out is not here.

    Attributes:
        user: whose each of them is, as an index of the day's users in ascending order.
    """

    total: NDArray[np.float64]
    count: NDArray[np.float64]
    user: NDArray[np.int64]

    @property
    def value(self) -> float | None:
        return float(self.total.sum() / self.count.sum()) if self.count.sum() > 0 else None


def parts(
    kind: Kind, measure: Measure, arrays: DayArrays,
    logits: NDArray[np.float32], key_rank: NDArray[np.int32], composite: Mapping[int, float],
) -> Parts:  # fmt: skip
    """The parts that a measure is put together from; not those of ``pairs``, which is no quotient of sums."""
    user = np.unique(arrays.user, return_inverse=True)[1]
    if kind == "impressions":
        return _parts_of_impressions(measure, arrays, logits, user)
    scores = request_scores(arrays, logits, key_rank)
    kept = scores.judged
    if measure.top is not None:
        values = (scores.hits(measure.top) & scores.judged).astype(np.float64)
        kept = ~scores.all_positive if measure.everyone else scores.judged
    elif measure.name == "composite":
        values = np.zeros(arrays.requests)
        for k, weight in composite.items():
            values += weight * scores.hits(k)
    elif measure.name in ("log_loss", "auc"):
        values = {"log_loss": scores.log_loss, "auc": scores.auc}[measure.name]
    else:
        raise ValueError(f"'{measure.name}' is put together from no parts")
    return Parts(values[kept], np.ones(int(kept.sum())), user[kept])


def _parts_of_impressions(
    measure: Measure, arrays: DayArrays, logits: NDArray[np.float32], user: NDArray[np.int64]
) -> Parts:
    label = arrays.label
    if measure.name == "log_loss":
        return Parts(metrics.log_losses(label, logits), np.ones(len(label)), user)
    if measure.name == "calibration":
        return Parts(metrics.sigmoid(logits), (label == 1).astype(np.float64), user)
    if measure.name == "gauc":
        values, sizes = metrics.auc_by_group(label, logits, user)
        known = ~np.isnan(values)
        return Parts((values * sizes)[known], sizes[known].astype(np.float64), np.flatnonzero(known))
    raise ValueError(f"'{measure.name}' is put together from no parts")
