"""Paired bootstrap over users: between which bounds lies a difference of two models, or a measure of one?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.schema import DayArrays
from pipeline.config.measures import MEASURES, Measure
from pipeline.config.requests import Kind
from pipeline.evaluation import metrics
from pipeline.evaluation.measured import Measured, Parts
from pipeline.evaluation.measures import MEASURED
from pipeline.evaluation.records import Interval

_DRAWN_AT_ONCE = 1 << 23


@dataclass(frozen=True)
class Scored:
    """The same test rows scored by two checkpoints."""

    kind: Kind
    arrays: DayArrays
    key_rank: NDArray[np.int32]
    composite: Mapping[int, float]
    new: NDArray[np.float32]
    old: NDArray[np.float32]

    @property
    def measured(self) -> Measured:
        return MEASURED[self.kind](self.arrays, self.key_rank, self.composite)


def intervals(
    scored: Scored, measures: Iterable[str], *, resamples: int, confidence: float, seed: int
) -> dict[str, Interval | None]:
    """Percentile intervals of new − old over resampled users; ``None`` where the day does not allow the measure.

    Users are drawn with all of their rows or requests, the same draws for both models and for every measure.
    """
    unit = scored.measured.units
    users = int(unit.max(initial=-1)) + 1
    named = {name: MEASURES[scored.kind][name] for name in measures}
    pairs = {name: _paired(scored, measure, unit) for name, measure in named.items()} if users > 1 else {}
    known = {name: pair for name, pair in pairs.items() if pair.difference is not None}
    resampled: dict[str, list[NDArray[np.float64]]] = {name: [] for name in known}
    for draws in _draws(users, resamples, seed) if known else ():
        for name, pair in known.items():
            resampled[name].append(pair.resampled(draws))
    found: dict[str, Interval | None] = dict.fromkeys(named)
    for name, pair in known.items():
        within = _percentiles(np.concatenate(resampled[name]), confidence)
        if pair.difference is not None and within is not None:
            found[name] = Interval(measure=name, difference=pair.difference, low=within[0], high=within[1])
    return found


def _draws(users: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each user is drawn [block, users], in blocks that fit into memory however many users there are."""
    rng = np.random.default_rng(seed)
    block = max(1, _DRAWN_AT_ONCE // users)
    for done in range(0, resamples, block):
        size = min(block, resamples - done)
        yield rng.multinomial(users, np.full(users, 1 / users), size=size).astype(np.float64)


class _Paired(Protocol):
    """A measure of both models on the same rows: more is better in what it answers.

    Attributes:
        difference: new − old; ``None`` where it is not defined on the day.
    """

    difference: float | None

    def resampled(self, draws: NDArray[np.float64]) -> NDArray[np.float64]: ...


def _paired(scored: Scored, measure: Measure, unit: NDArray[np.int64]) -> _Paired:
    if measure.of == "pairs":
        return _PairedAuc(scored, unit)
    new, old = (scored.measured.parts(measure, logits) for logits in (scored.new, scored.old))
    users = int(unit.max(initial=-1)) + 1
    if measure.better == "near_one":
        return _PairedDistances(new, old, users)
    return _PairedMeans(measure, new, old, users)


class _PairedMeans:
    """The difference of two means is the mean of the differences: both leave out the same."""

    def __init__(self, measure: Measure, new: Parts, old: Parts, users: int) -> None:
        self._sign = -1.0 if measure.better == "lower" else 1.0
        difference = new.total - old.total
        self._total = np.bincount(new.user, weights=difference, minlength=users)
        self._count = np.bincount(new.user, weights=new.count, minlength=users)
        count = new.count.sum()
        self.difference = self._sign * float(difference.sum() / count) if count > 0 else None

    def resampled(self, draws: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self._sign * ((draws @ self._total) / (draws @ self._count)))


class _PairedDistances:
    """How much nearer to 1: known of each model, before the two are compared."""

    def __init__(self, new: Parts, old: Parts, users: int) -> None:
        self._totals = [np.bincount(each.user, weights=each.total, minlength=users) for each in (new, old)]
        self._count = np.bincount(new.user, weights=new.count, minlength=users)
        here, there = new.value, old.value
        self.difference = abs(there - 1) - abs(here - 1) if here is not None and there is not None else None

    def resampled(self, draws: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore", divide="ignore"):
            new, old = (draws @ total / (draws @ self._count) for total in self._totals)
            return np.asarray(np.abs(old - 1) - np.abs(new - 1))


class _PairedAuc:
    """AUC over the rows of all users: a pair is of two users as a rule, so that no sum by user gives it."""

    def __init__(self, scored: Scored, unit: NDArray[np.int64]) -> None:
        self._both = [metrics.SortedScores(scored.arrays.label, each, unit) for each in (scored.new, scored.old)]
        self.difference = self._minus(None)

    def resampled(self, draws: NDArray[np.float64]) -> NDArray[np.float64]:
        found = (self._minus(draw) for draw in draws)
        return np.array([np.nan if each is None else each for each in found])

    def _minus(self, draw: NDArray[np.float64] | None) -> float | None:
        new, old = (each.auc(draw) for each in self._both)
        return new - old if new is not None and old is not None else None


def bounds(scored: Scored, name: str, *, resamples: int, confidence: float, seed: int) -> tuple[float, float] | None:
    """Percentile interval of the new model's own measure; ``None`` if the day does not allow it."""
    unit = scored.measured.units
    users = int(unit.max(initial=-1)) + 1
    measure = MEASURES[scored.kind][name]
    if users < 2:
        return None
    if measure.of == "pairs":
        ranked = metrics.SortedScores(scored.arrays.label, scored.new, unit)
        drawn = [ranked.auc(draw) for draws in _draws(users, resamples, seed) for draw in draws]
        values = np.array([np.nan if each is None else each for each in drawn])
    else:
        own = scored.measured.parts(measure, scored.new)
        total = np.bincount(own.user, weights=own.total, minlength=users)
        count = np.bincount(own.user, weights=own.count, minlength=users)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.concatenate([(draws @ total) / (draws @ count) for draws in _draws(users, resamples, seed)])
    return _percentiles(values, confidence)


def _percentiles(values: NDArray[np.float64], confidence: float) -> tuple[float, float] | None:
    """Of the resamples in which the measure is defined."""
    known = np.sort(values[np.isfinite(values)])
    if not len(known):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)
