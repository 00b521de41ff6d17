"""The measures of many tested days as one figure each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.errors import UsageError
from pipeline.evaluation.measures_by_day import TestedDay


@dataclass
class Means:
    """Means over days: of requests with candidates, each day weighs those that can be judged; else days weigh alike.

    Attributes:
        days: that have a figure of what is averaged.
        weight: of all of them together.
        all_positive: requests with nothing but positives among their candidates.
        values: by measure the mean, over the days that have one.
    """

    days: int = 0
    weight: int = 0
    all_positive: int = 0
    values: dict[str, float] = field(default_factory=dict)

    def as_hits(self, hits: Iterable[str]) -> Means:
        """With the requests of nothing but positives counted in, as hits whatever the model."""
        every = self.weight + self.all_positive
        counted = {name: (self.values[name] * self.weight + self.all_positive) / every for name in hits}
        return Means(self.days, every, self.all_positive, {**self.values, **counted})


def means_of(tests: Iterable[TestedDay], measures: Iterable[str], group: str | None = None) -> dict[str, Means]:
    """By experiment, the means of some measures; of the requests of a group, if one is named.

    Raises:
        UsageError: none of the tests has such a group.
    """
    names, found, groups = tuple(measures), dict[str, Means](), set[str]()
    sums: dict[str, dict[str, tuple[float, int]]] = {}
    for test in tests:
        groups |= set(test.groups)
        values = test.values if group is None else test.groups.get(group, {})
        counts = test.counts if group is None else values
        weight, alone = _judged(values, counts)
        means = found.setdefault(test.experiment, Means())
        means.days += bool(weight)
        means.weight += weight
        means.all_positive += alone
        of = sums.setdefault(test.experiment, {})
        for name in names:
            value = values.get(name)
            if value is not None:
                total, weights = of.get(name, (0.0, 0))
                of[name] = (total + value * weight, weights + weight)
    if group is not None and found and group not in groups:
        raise UsageError(f"--group {group}: no test has it; there are {', '.join(sorted(groups)) or 'none'}")
    for experiment, of in sums.items():
        found[experiment].values = {name: total / weights for name, (total, weights) in of.items() if weights}
    return found


def _judged(values: Mapping[str, float | None], counts: Mapping[str, float | None]) -> tuple[int, int]:
    """What a day weighs, and its requests of nothing but positives."""
    if "covered" not in values:
        return int(bool(values)), 0
    alone = int(counts.get("all_positive") or 0)
    return int(values["covered"] or 0) - alone, alone
