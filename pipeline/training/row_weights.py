"""What rows weigh in training: replayed ones as a whole, others by the rules of their experiment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.schema import PADDING, DayArrays
from pipeline.config.row_weights import WeightRule


def weighted(arrays: DayArrays, weight: float, rules: Iterable[WeightRule]) -> DayArrays:
    """The rows with ``weight`` times that of every rule that they fit; no row that is tested is weighted."""
    factors = np.full(arrays.requests, weight, np.float32)
    for rule in rules:
        factors[_fits(arrays, rule)] *= np.float32(rule.weight)
    return arrays if (factors == 1.0).all() else replace(arrays, weight=arrays.weight * factors)


def _fits(arrays: DayArrays, rule: WeightRule) -> NDArray[np.int64]:
    """Requests of which a positive has more values than the rule says."""
    place = arrays.layout.item_ids[rule.taken]
    values = np.count_nonzero(np.asarray(arrays.item_ids[:, place.start : place.stop]) != PADDING, axis=1)
    positive = np.flatnonzero(arrays.label_of(arrays.tasks[0]) == 1)
    chosen = positive[values[np.asarray(arrays.pair_item)[positive]] > rule.more_than]
    return np.repeat(np.arange(arrays.requests), arrays.candidates)[chosen]
