"""Is a measure too good to be true? Rows that came before make a model look better than any day's learning does."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from pipeline.config.experiment import Gate
from pipeline.config.measures import Measure, split
from pipeline.days import Day
from pipeline.evaluation.bootstrap import Scored, bounds
from pipeline.evaluation.records import GateRecord, TestRecord
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import GATE, TEST

DAYS = 28
"""How far back the usual range is taken from."""
SETTLED = 5
"""As long as fewer days were tested, a chain may still be finding its level."""
_HALF = 0.5
_CHANGES = 2.0


@dataclass(frozen=True)
class Usual:
    """The days before, and how good their measure lets a day be.

    Attributes:
        limit: beyond it a value is not believed.
        best: the best of them.
        tests: of the days; what the verdict rests on where a value is beyond the limit.
    """

    measure: Measure
    limit: float
    best: float
    tests: list[Artifact]

    def beyond(self, value: float) -> bool:
        return self.measure.worth(value) > self.measure.worth(self.limit)


def usual(context: JobContext, day: Day, experiment: str, promoted: Collection[Day]) -> Usual | None:
    """The range of the primary measure that the days before ``day`` make likely; ``None`` where they tell of none.

    Args:
        promoted: days whose checkpoint of the experiment somebody has promoted by hand.
    """
    gate, name = context.config.release.gate, context.config.primary
    if gate.rise is None:
        return None
    measure = context.config.known_measures[name]
    known = ((each, TestRecord.of(each).values.get(name)) for each in _believed(context, day, experiment, promoted))
    measured = [(test, float(value)) for test, value in known if value is not None]
    tests, values = [test for test, _ in measured], [value for _, value in measured]
    perfect = sum(context.config.measures.composite.values()) if split(name)[1] == "composite" else 1.0
    limit = limit_of(values, measure, gate.rise, perfect)
    if limit is None:
        return None
    return Usual(measure, limit, max(values, key=measure.worth), tests)


def limit_of(values: Sequence[float], measure: Measure, rise: float, perfect: float = 1.0) -> float | None:
    """How good the next value may be after ``values``, oldest first; ``None`` where that cannot be said.

    From the best of them on, ``rise`` of the way to a perfect value (0 of a loss), or twice the usual change from day
    to day where that is more, but no more than half of the way. A chain of few days climbs fast and honestly: half of
    the way, and a loss, which falls as soon as the share of positives is learnt, has no limit yet.
    """
    settled = len(values) >= SETTLED
    if not values or (measure.better == "lower" and not settled):
        return None
    best = max(values, key=measure.worth)
    way = abs(best) if measure.better == "lower" else max(0.0, perfect - best)
    changes = [after - before for before, after in itertools.pairwise(values)]
    change = math.sqrt(math.fsum(each * each for each in changes) / len(changes)) if changes else 0.0
    swing = min(_CHANGES * change, _HALF * way) if settled else _HALF * way
    allowed = max(rise * way, swing)
    return best - allowed if measure.better == "lower" else best + allowed


def implausible(found: Usual, value: float, scored: Scored, gate: Gate, seed: int) -> str | None:
    """Why a day's value is not believed, its whole interval being beyond the limit; ``None`` if it may be true."""
    name = found.measure.name
    within = bounds(scored, name, resamples=gate.resamples, confidence=gate.confidence, seed=seed)
    if within is None or not all(found.beyond(each) for each in within):
        return None
    return (
        f"{name} {value:.4f} [{within[0]:.4f}, {within[1]:.4f}] is too good to be believed: the best of "
        f"{len(found.tests)} tested days before had {found.best:.4f}, the limit is {found.limit:.4f}"
    )


def advice(context: JobContext, experiment: str) -> str:
    """What to look for and to do where a value is not believed."""
    return (
        f"release.gate.rise is {context.config.release.gate.rise:g}; were rows delivered again, or does a column tell "
        f"the label? If it is true, `python -m pipeline promote --job {context.job} --experiment {experiment}` takes "
        "it, and the days after are judged by it"
    )


def _believed(
    context: JobContext, day: Day, experiment: str, promoted: Collection[Day]
) -> Iterator[Artifact]:
    """Tests of the days before, oldest first: not those that were not believed, unless a promotion took them later."""
    store, job = context.store, context.config.job
    earlier = [each for each in promoted if each < day]
    for back in range(DAYS, 0, -1):
        here = day.plus(-back)
        test = store.current(Ref(TEST, job, here, experiment))
        gate = store.current(Ref(GATE, job, here, experiment))
        doubted = gate is not None and GateRecord.of(gate).rise is not None
        if test is not None and not (doubted and all(each < here for each in earlier)):
            yield test
