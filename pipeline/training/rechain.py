"""The shortest way to make tainted chains whole again: which days, of which experiments."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.days import Day
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import MAPS
from pipeline.storage.artifacts.lineage import Lineage
from pipeline.training.chain import Chain


@dataclass(frozen=True)
class Rechain:
    """One range of days that some experiments train again.

    Attributes:
        growing: days before the range whose id maps and feature state have to grow again, though they are not trained.
        tainted: number of tainted days by experiment.
    """

    first: Day
    last: Day
    tainted: dict[str, int]
    growing: tuple[Day, ...] = ()

    @property
    def experiments(self) -> list[str]:
        return list(self.tainted)


def plan_rechain(context: JobContext, experiments: list[str]) -> list[Rechain]:
    """What has to be run so that no day of these experiments is tainted; empty where none is.

    Experiments whose chains end on the same day share a range: its earlier days cost nothing to those that are whole
    there. Each starts behind its nearest checkpoint that is kept.
    """
    ranges: dict[Day, dict[str, tuple[Day, int]]] = {}
    for name in experiments:
        chain = Chain.of(context, name)
        tainted = chain.tainted()
        if tainted:
            ranges.setdefault(chain.days()[-1], {})[name] = (chain.resume(tainted[0][0]), len(tainted))
    found = []
    for last in sorted(ranges):
        first = min(day for day, _ in ranges[last].values())
        counts = {name: count for name, (_, count) in ranges[last].items()}
        found.append(Rechain(first, last, counts, _growing(context, first)))
    return found


def growing_after(context: JobContext, last: Day) -> tuple[Day, ...]:
    """Days after ``last``, to which no experiment has come yet, from the first one on whose id maps are tainted."""
    return _tainted_on(context, [day for day in context.store.days(MAPS, context.job) if day > last])


def _growing(context: JobContext, first: Day) -> tuple[Day, ...]:
    """Days before ``first`` from the first one on whose id maps are tainted."""
    return _tainted_on(context, [day for day in context.store.days(MAPS, context.job) if day < first])


def _tainted_on(context: JobContext, days: list[Day]) -> tuple[Day, ...]:
    lineage = Lineage(context.store)
    for place, day in enumerate(days):
        artifact = context.store.current(Ref(MAPS, context.job, day))
        if artifact is not None and lineage.reason(artifact) is not None:
            return tuple(days[place:])
    return ()
