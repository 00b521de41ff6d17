"""Measures of a ranking or of click predictions, in numpy: exact, with ties and weights treated as defined here."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


def auc(label: NDArray[Any], score: NDArray[Any], weight: NDArray[Any] | None = None) -> float | None:
    """Probability that a positive scores above a negative, ties counting half; ``None`` with one class only."""
    return SortedScores(label, score).auc(weight)


class SortedScores:
    """Rows sorted by score once, so that AUC under many weightings (a bootstrap) costs one pass each.

    Args:
        owner: index of whom each row belongs to, where weights are given by owner instead of by row.
    """

    def __init__(self, label: NDArray[Any], score: NDArray[Any], owner: NDArray[np.int64] | None = None) -> None:
        positive = np.asarray(label) == 1
        order = np.argsort(score, kind="stable")
        positives, negatives = order[positive[order]], order[~positive[order]]
        scores, below = np.asarray(score)[positives], np.asarray(score)[negatives]
        self._lower = np.searchsorted(below, scores, "left")
        self._lower_or_equal = np.searchsorted(below, scores, "right")
        self._positives = positives if owner is None else owner[positives]
        self._negatives = negatives if owner is None else owner[negatives]
        self._weights = len(order) if owner is None else int(owner.max(initial=-1)) + 1

    def auc(self, weight: NDArray[Any] | None = None) -> float | None:
        """AUC with ``weight`` [rows] in the rows' own order, or [owners]."""
        weights = np.ones(self._weights) if weight is None else np.asarray(weight, np.float64)
        positive, negative = weights[self._positives], np.zeros(len(self._negatives) + 1)
        np.cumsum(weights[self._negatives], out=negative[1:])
        positives, negatives = positive.sum(), negative[-1]
        if positives <= 0 or negatives <= 0:
            return None
        # Added up here: threads of a library's product take longer to begin than this takes, and wait busily.
        beaten = (positive * (negative[self._lower] + negative[self._lower_or_equal])).sum() / 2
        return float(beaten / (positives * negatives))


def auc_by_group(label: NDArray[Any], score: NDArray[Any], group: NDArray[Any]) -> tuple[Float, NDArray[np.int64]]:
    """AUC of each group that has both classes, and the groups' numbers of rows.

    Groups are those of ``group`` in ascending order; without both classes the AUC is NaN.
    """
    if not len(label):
        return np.zeros(0), np.zeros(0, np.int64)
    order = np.lexsort((score, group))
    groups, scores, positive = np.asarray(group)[order], np.asarray(score)[order], np.asarray(label)[order] == 1
    new_group = np.r_[True, groups[1:] != groups[:-1]]
    new_tie = new_group | np.r_[True, scores[1:] != scores[:-1]]
    starts = np.flatnonzero(new_group)
    sizes = np.diff(np.r_[starts, len(groups)])
    tie_starts = np.flatnonzero(new_tie)
    tie_sizes = np.diff(np.r_[tie_starts, len(groups)])
    first = np.repeat(starts, sizes)
    # mean rank within the group, from 1, equal scores sharing theirs
    rank = np.repeat(tie_starts + (tie_sizes - 1) / 2, tie_sizes) - first + 1
    positives = np.add.reduceat(positive.astype(np.float64), starts)
    ranks = np.add.reduceat(np.where(positive, rank, 0.0), starts)
    negatives = sizes - positives
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (ranks - positives * (positives + 1) / 2) / (positives * negatives)
    return np.where((positives > 0) & (negatives > 0), value, np.nan), sizes


def gauc(label: NDArray[Any], score: NDArray[Any], user: NDArray[Any]) -> float | None:
    """AUC per user weighted by impressions, over users with both classes; ``None`` if there is none.

    The measure of Zhu et al., *Optimized Cost per Click in Taobao Display Advertising* (KDD 2017).
    """
    values, sizes = auc_by_group(label, score, user)
    known = ~np.isnan(values)
    if not known.any():
        return None
    return float(np.average(values[known], weights=sizes[known]))


def log_losses(label: NDArray[Any], logit: NDArray[Any]) -> Float:
    """Binary log-loss of each row in nats, from logits."""
    logits = np.asarray(logit, np.float64)
    return np.logaddexp(0.0, np.where(np.asarray(label) == 1, -logits, logits))


def sigmoid(logit: NDArray[Any]) -> Float:
    return np.exp(-np.logaddexp(0.0, -np.asarray(logit, np.float64)))


def calibration(label: NDArray[Any], logit: NDArray[Any]) -> float | None:
    """Mean prediction over the rate of positives; ``None`` without positives."""
    positives = float((np.asarray(label) == 1).sum())
    return float(sigmoid(logit).sum() / positives) if positives else None


def calibration_bins(label: NDArray[Any], logit: NDArray[Any], bins: int = 10) -> NDArray[np.float64]:
    """Rows sorted by prediction, in bins of equal size: mean prediction, share of positives and rows of each [bins, 3].

    Fewer bins where there are fewer rows; rows of equal prediction may fall into two of them.
    """
    order = np.argsort(np.asarray(logit), kind="stable")
    bins = min(bins, len(order))
    if not bins:
        return np.zeros((0, 3))
    starts = np.arange(bins) * len(order) // bins
    rows = np.diff(np.r_[starts, len(order)])
    predicted = np.add.reduceat(sigmoid(np.asarray(logit)[order]), starts)
    positives = np.add.reduceat((np.asarray(label)[order] == 1).astype(np.float64), starts)
    return np.column_stack([predicted / rows, positives / rows, rows])


def ranks_in_request(score: NDArray[Any], offsets: NDArray[np.int64], key_rank: NDArray[Any]) -> NDArray[np.int64]:
    """Rank of each candidate in its request, from 0; equal scores are ordered by ``key_rank``, never by input order."""
    request = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    order = np.lexsort((key_rank, -np.asarray(score, np.float64), request))
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order)) - offsets[:-1][request[order]]
    return ranks


def best_positive_ranks(label: NDArray[Any], ranks: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Best rank of a positive in each request; a huge one where it has none. A hit in the top k is a rank below k."""
    none = np.iinfo(np.int64).max
    best = np.full(len(offsets) - 1, none)
    filled = np.diff(offsets) > 0
    if filled.any():
        best[filled] = np.minimum.reduceat(np.where(np.asarray(label) == 1, ranks, none), offsets[:-1][filled])
    return best


def softmax_losses(label: NDArray[Any], logit: NDArray[Any], offsets: NDArray[np.int64]) -> Float:
    """−log softmax over all candidates of each request, the mean over its positives; NaN without positives."""
    sizes = np.diff(offsets)
    filled = sizes > 0
    starts = offsets[:-1][filled]
    logits = np.asarray(logit, np.float64)
    losses = np.full(len(sizes), np.nan)
    if not filled.any():
        return losses
    top = np.maximum.reduceat(logits, starts)
    shifted = logits - np.repeat(top, sizes[filled])
    normaliser = np.log(np.add.reduceat(np.exp(shifted), starts))
    positive = np.asarray(label) == 1
    count = np.add.reduceat(positive.astype(np.float64), starts)
    total = np.add.reduceat(np.where(positive, shifted, 0.0), starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        losses[filled] = np.where(count > 0, normaliser - total / count, np.nan)
    return losses
