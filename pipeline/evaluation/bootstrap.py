"""Paired bootstrap over users: between which bounds lies a difference of two models, or a measure of one?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.schema import DayArrays
from pipeline.config.measures import Measure, measure_of, task_of
from pipeline.config.requests import Kind
from pipeline.evaluation import metrics
from pipeline.evaluation.measured import Measured, Parts
from pipeline.evaluation.measures import MEASURED
from pipeline.evaluation.records import Interval

_DRAWN_AT_ONCE = 1 << 23

K = TypeVar("K")


@dataclass(frozen=True)
class Rows:
    """The rows of a test, and what orders and weighs their measures."""

    kind: Kind
    arrays: DayArrays
    key_rank: NDArray[np.int32]
    composite: Mapping[int, float]

    def asked(self, name: str) -> tuple[Measure, Measured]:
        """A measure, of whichever task, and what measures that task."""
        task = task_of(self.arrays.tasks, name)
        return measure_of(self.kind, name), MEASURED[self.kind](self.arrays, task, self.key_rank, self.composite)

    @cached_property
    def unit(self) -> NDArray[np.int64]:
        """What is drawn of each request, with all that belongs to it (see ``Measured.units``)."""
        return MEASURED[self.kind](self.arrays, self.arrays.tasks[0], self.key_rank, self.composite).units

    @property
    def units(self) -> int:
        return int(self.unit.max(initial=-1)) + 1


@dataclass(frozen=True)
class Scored(Rows):
    """The same test rows scored by two checkpoints, logits ``[pairs]`` by task."""

    new: Mapping[str, NDArray[np.float32]]
    old: Mapping[str, NDArray[np.float32]]


def intervals(
    scored: Scored, measures: Iterable[str], *, resamples: int, confidence: float, seed: int
) -> dict[str, Interval | None]:
    """Percentile intervals of new − old over resampled users; ``None`` where the day does not allow the measure.

    Users are drawn with all of their rows or requests, the same draws for both models and for every measure.
    """
    named = {name: measure_of(scored.kind, name) for name in measures}
    models = {
        (name, side): _model(scored, name, logits[task_of(scored.arrays.tasks, name)])
        for name in named
        for side, logits in (("new", scored.new), ("old", scored.old))
    }
    drawn = _resampled(scored, models, resamples, seed)
    found: dict[str, Interval | None] = {}
    for name, measure in named.items():
        new, old = drawn[name, "new"], drawn[name, "old"]
        found[name] = None
        if new is None or old is None:
            continue
        within = percentiles(measure.worth(new.draws) - measure.worth(old.draws), confidence)
        if within is not None:
            difference = measure.worth(new.value) - measure.worth(old.value)
            found[name] = Interval(measure=name, difference=difference, low=within[0], high=within[1])
    return found


@dataclass(frozen=True)
class Drawn:
    """A measure of a model on a day's rows.

    Attributes:
        draws: what it is in each draw of users, float64 ``[resamples]``; NaN where it is not defined.
    """

    value: float
    draws: NDArray[np.float64]


def resampled(
    rows: Rows, logits: Mapping[str, NDArray[np.float32]], measure: str, *, resamples: int, seed: int
) -> dict[str, Drawn | None]:
    """A measure of several models under the same draws of users; ``None`` where the day does not allow it.

    Args:
        logits: ``[pairs]`` of each model, of the measure's task.
    """
    return _resampled(rows, {name: _model(rows, measure, each) for name, each in logits.items()}, resamples, seed)


def bounds(scored: Scored, name: str, *, resamples: int, confidence: float, seed: int) -> tuple[float, float] | None:
    """Percentile interval of the new model's own measure; ``None`` if the day does not allow it."""
    new = scored.new[task_of(scored.arrays.tasks, name)]
    found = resampled(scored, {"new": new}, name, resamples=resamples, seed=seed)["new"]
    return percentiles(found.draws, confidence) if found is not None else None


def percentiles(values: NDArray[np.float64], confidence: float) -> tuple[float, float] | None:
    """The interval of the resamples in which a measure is defined; ``None`` if it is in none."""
    known = np.sort(values[np.isfinite(values)])
    if not len(known):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


class _Model(Protocol):
    """A measure of one model, of a day's users weighted as they are drawn.

    Attributes:
        value: with every user once; ``None`` where it is not defined on the day.
    """

    value: float | None

    def drawn(self, draws: NDArray[np.float64]) -> NDArray[np.float64]: ...


def _resampled(rows: Rows, models: Mapping[K, _Model], resamples: int, seed: int) -> dict[K, Drawn | None]:
    known = {key: model for key, model in models.items() if model.value is not None} if rows.units > 1 else {}
    blocks: dict[K, list[NDArray[np.float64]]] = {key: [] for key in known}
    for draws in _draws(rows.units, resamples, seed) if known else ():
        for key, model in known.items():
            blocks[key].append(model.drawn(draws))
    found: dict[K, Drawn | None] = dict.fromkeys(models)
    for key, model in known.items():
        if model.value is not None:
            found[key] = Drawn(model.value, np.concatenate(blocks[key]))
    return found


def _draws(units: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each unit is drawn [block, units], in blocks that fit into memory however many units there are."""
    rng = np.random.default_rng(seed)
    block = max(1, _DRAWN_AT_ONCE // units)
    for done in range(0, resamples, block):
        drawn = np.empty((min(block, resamples - done), units))
        for row in drawn:
            # A multinomial draw, at a fifth of what numpy's takes for many units of one chance each.
            row[:] = np.bincount(rng.integers(0, units, units, np.int32), minlength=units)
        yield drawn


def _model(rows: Rows, name: str, logits: NDArray[np.float32]) -> _Model:
    measure, measured = rows.asked(name)
    if measure.of == "pairs":  # a row is a request
        judged = measured.judged
        return _Auc(metrics.SortedScores(measured.label[judged], logits[judged], rows.unit[judged]))
    return _Quotient(measured.parts(measure, logits), rows.units)


class _Quotient:
    """A measure that is one sum over another."""

    def __init__(self, parts: Parts, users: int) -> None:
        self.value = parts.value
        self._total = np.bincount(parts.user, weights=parts.total, minlength=users)
        self._count = np.bincount(parts.user, weights=parts.count, minlength=users)

    def drawn(self, draws: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((draws @ self._total) / (draws @ self._count))


class _Auc:
    """AUC over the rows of all users: a pair is of two users as a rule, so that no sum by user gives it."""

    def __init__(self, ranked: metrics.SortedScores) -> None:
        self._ranked = ranked
        self.value = ranked.auc()

    def drawn(self, draws: NDArray[np.float64]) -> NDArray[np.float64]:
        found = (self._ranked.auc(draw) for draw in draws)
        return np.array([np.nan if each is None else each for each in found])
