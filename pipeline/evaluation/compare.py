"""Which of several experiments is better over a range of days? Each is compared with the first on the same rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.config.experiment import Gate
from pipeline.config.measures import allowed, measure_of
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.evaluation.bootstrap import percentiles
from pipeline.evaluation.compared_day import (
    Asked,
    committed_tests,
    compare_day,
    days_tested,
    made_of,
)
from pipeline.evaluation.records import ComparedDay, Difference
from pipeline.job import JobContext
from pipeline.storage.artifacts.readable import Readable

Said = Literal["better", "worse", "cannot tell"]
_DRAWS = 10
"""Draws of days for each draw of users: they cost next to nothing."""


@dataclass(frozen=True)
class Standing:
    """An experiment against the first one, on a day or over the days on which both were tested.

    Attributes:
        value, first: the measure of both, the mean of these days.
        difference: how much better it was, the mean of these days; with the interval that decides.
    """

    experiment: str
    days: int
    value: float | None = None
    first: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def verdict(self) -> Said:
        """What the interval says."""
        if self.low is not None and self.low > 0:
            return "better"
        return "worse" if self.high is not None and self.high < 0 else "cannot tell"


@dataclass(frozen=True)
class Comparison:
    """Experiments against the first of them, over days.

    Attributes:
        gate: whose draws and confidence its intervals are of.
        most: by how much one experiment can be better than another at all; no interval reaches farther.
    """

    asked: Asked
    gate: Gate
    seed: int
    most: float
    days: list[ComparedDay]

    def over_days(self) -> list[Standing]:
        """Each experiment but the first over the days on which it can be compared.

        The intervals are those of so many experiments together: none of them misses, with the gate's confidence.
        """
        return [self._over_days(name) for name in self.asked.experiments[1:]]

    def _over_days(self, name: str) -> Standing:
        both = [day for day in self.days if name in day.differences]
        if not both:
            return Standing(name, 0)
        differences = [day.differences[name] for day in both]
        drawn = mean_of_days(differences, resamples=_DRAWS * self.gate.resamples, seed=self.seed)
        mean = float(np.mean([each.difference for each in differences]))
        within = percentiles(drawn, self.gate.confidence) or (-math.inf, math.inf)
        low, high = self._possible(within, mean, len(self.asked.experiments) - 1)
        value, first = (float(np.mean([day.values[each] for day in both])) for each in (name, self.asked.first))
        return Standing(name, len(both), value, first, mean, low, high)

    def by_day(self) -> list[tuple[Day, Standing]]:
        """By experiment and day; the intervals are those of so many days and experiments together."""
        rows = [(name, day) for name in self.asked.experiments for day in self.days if name in day.differences]
        return [(day.day, self._on(day, name, len(rows))) for name, day in rows]

    def _on(self, day: ComparedDay, name: str, comparisons: int) -> Standing:
        found = day.differences[name]
        low, high = self._possible((found.low, found.high), found.difference, comparisons)
        return Standing(name, 1, day.values[name], day.values[self.asked.first], found.difference, low, high)

    def _possible(self, within: tuple[float, float], difference: float, comparisons: int) -> tuple[float, float]:
        """An interval as :func:`corrected`; of very few days it would hold differences that cannot be."""
        low, high = corrected(within, difference, self.gate.confidence, comparisons)
        return max(low, -self.most), min(high, self.most)

    def left_out(self) -> list[str]:
        """What was not compared: each reason once, with its days."""
        reasons: dict[str, list[str]] = {}
        for day in self.days:
            for why in dict.fromkeys(day.left_out.values()):
                reasons.setdefault(why, []).append(str(day.day))
        return [f"{why} ({', '.join(days)})" for why, days in reasons.items()]


def compare(
    context: JobContext,
    asked: Asked,
    readable: Readable,
    *,
    first: Day | None = None,
    last: Day | None = None,
    known: Iterable[ComparedDay] = (),
    tell: Callable[[Day], None] = lambda day: None,
) -> Comparison:
    """Compare experiments on the days of a range, a day in memory at a time.

    Args:
        readable: is told of what is damaged, which is left out.
        known: days compared before; they stand as long as their tests and the settings do.
        tell: is called before a day is worked on.

    Raises:
        UsageError: fewer than two experiments, or no such measure or group.
    """
    config = context.config
    if len(asked.experiments) < 2:
        raise UsageError(
            f"a comparison takes two experiments at least; job '{context.job}' has {', '.join(config.experiments)}"
        )
    measures = allowed(config.known_measures, "margin")
    if asked.measure not in measures:
        raise UsageError(f"--measure {asked.measure}: job '{context.job}' can be compared by {', '.join(measures)}")
    before = {each.day: each for each in known}
    days: list[ComparedDay] = []
    for day in days_tested(context, asked.experiments, first, last):
        tests = readable(committed_tests, context, day, asked)
        if tests is None:
            continue
        # A day that said nothing may say something since: what was pruned can be made again.
        if day in before and before[day].differences and before[day].made_of == made_of(context, tests, asked):
            days.append(before[day])
            continue
        tell(day)
        found = readable(compare_day, context, day, tests, asked)
        days += [found] if found is not None else []
    most = measure_of(config.kind, asked.measure).most(config.measures.composite)
    return Comparison(asked, config.release.gate, config.seed, most, days)


def mean_of_days(days: Sequence[Difference], *, resamples: int, seed: int) -> NDArray[np.float64]:
    """Draws of the mean difference of the days, each counting the same, ``[resamples]``.

    Days are drawn whole, as the rows of a day are scored by one checkpoint, and within each drawn day its users anew:
    a model that was lucky with a seed, or on a few days, is not told from a better one by many rows alone.
    """
    rng = np.random.default_rng(seed)
    difference, spread = (np.array([getattr(day, what) for day in days]) for what in ("difference", "spread"))
    count, mean = len(days), difference.mean()
    drawn = rng.integers(0, count, (resamples, count))
    # Few days say little of how much days differ: their draws spread as Student's t does, not as a normal.
    unknown = np.sqrt(count / rng.chisquare(max(count - 1, 1), resamples))
    apart = (difference - mean)[drawn].mean(axis=1) * unknown
    within_days = (spread[drawn] * rng.standard_normal(drawn.shape)).mean(axis=1)
    return np.asarray(mean + apart + within_days)


def corrected(
    within: tuple[float, float], difference: float, confidence: float, comparisons: int
) -> tuple[float, float]:
    """An interval wide enough that all of several hold together as surely as one alone would (Bonferroni).

    Bonferroni and not Holm: the interval that is shown is then the one that decides. Widened as a normal one would be,
    so that the tails need no more draws; of a single comparison it is the gate's own.
    """
    tail = (1 - confidence) / 2
    wider = NormalDist().inv_cdf(tail / comparisons) / NormalDist().inv_cdf(tail)
    return difference - wider * (difference - within[0]), difference + wider * (within[1] - difference)
