"""The measures of a test: what each is called, which way is better, what it averages and where it may be named.

Settings, evaluation, gate, alerts, report, page and command line all ask here; nothing else lists measures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeVar

from models.tasks import SCORE
from pipeline.config.requests import Kind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Value = TypeVar("Value", float, "NDArray[np.float64]")
Better = Literal["higher", "lower", "near_one"]
Of = Literal["row", "request", "user", "pairs", "totals", "count"]
Use = Literal["margin", "floor", "primary", "alert"]

HIT_RATES = (1, 3, 5, 10, 15)
EVERYWHERE: frozenset[Use] = frozenset({"margin", "floor", "primary", "alert"})
CALIBRATION_RANGE = "its limits are release.gate.calibration: [lowest, highest]"


@dataclass(frozen=True)
class Measure:
    """One measure of one kind of job.

    Attributes:
        better: which way it is better; ``near_one``: the nearer to 1.
        of: what it is put together from. ``row``, ``request``, ``user``: a mean over these (a user's share is weighted
            by his rows); ``totals``: the quotient of two sums over rows; ``pairs``: a share of the pairs of rows of all
            users; ``count``: no measure of quality. Whatever it is, a bootstrap draws users, each with all that is his.
        uses: the settings that may name it.
        why_not: why other settings may not.
        share: lies between 0 and 1.
        top: of a hit rate, the number of candidates that are looked at.
        everyone: of a hit rate, over requests without a positive too.
        column: has a column in tables and in the CSV.
        curve: has a curve in the day's report.
        headline: stands in the line that a run prints.
    """

    name: str
    better: Better
    of: Of
    uses: frozenset[Use] = EVERYWHERE
    why_not: str = ""
    share: bool = True
    top: int | None = None
    everyone: bool = False
    column: bool = True
    curve: bool = True
    headline: bool = False

    def worth(self, value: Value) -> Value:
        """``value`` (or each of several) turned so that more is better."""
        if self.better == "near_one":
            return -abs(value - 1)
        return -value if self.better == "lower" else value

    def most(self, composite: Mapping[int, float]) -> float:
        """The greatest value that it can have.

        Args:
            composite: the weights of the composite hit rate, by k.
        """
        if split(self.name)[1] == "composite":
            return sum(composite.values())
        return 1.0 if self.share else math.inf


def _count(name: str) -> Measure:
    return Measure(name, "higher", "count", frozenset(), "it is a count", share=False, curve=False)


def _hits(k: int) -> Measure:
    return Measure(f"hit_{k}", "higher", "request", top=k, curve=k < 15, headline=k in (1, 3))


def _hits_of_all(k: int) -> Measure:
    return Measure(f"hit_{k}_all", "higher", "request", top=k, everyone=True, column=False, curve=False)


_OF_LABELS = (
    Measure("auc", "higher", "pairs", headline=True),
    Measure("gauc", "higher", "user"),
    Measure("log_loss", "lower", "row", share=False),
    Measure("calibration", "near_one", "totals", frozenset({"margin"}), CALIBRATION_RANGE, share=False),
)
_LISTED: Mapping[Kind, tuple[Measure, ...]] = {
    "impressions": _OF_LABELS,
    "rows": _OF_LABELS,
    "ranking": (
        _count("requests"),
        _count("covered"),
        *(_hits(k) for k in HIT_RATES),
        # Its weights are a setting and need not add up to 1.
        Measure("composite", "higher", "request", share=False),
        Measure("log_loss", "lower", "request", share=False),
        Measure("auc", "higher", "request", headline=True),
        *(_hits_of_all(k) for k in HIT_RATES),
    ),
}
MEASURES: Mapping[Kind, Mapping[str, Measure]] = {
    kind: {measure.name: measure for measure in listed} for kind, listed in _LISTED.items()
}
OF_ORDER = ("auc", "gauc")
"""Measures of how rows are ordered, whatever their scores mean."""
PRIMARY: Mapping[Kind, str] = {"impressions": "auc", "ranking": "composite", "rows": "auc"}
"""What a job is judged by that names no ``measures.primary``."""


def in_task(task: str, measure: str, tasks: Sequence[str]) -> str:
    """The name of a measure of one of a job's tasks: ``task/measure``, or the measure's own where there is but one."""
    return f"{task}/{measure}" if len(tasks) > 1 else measure


def split(name: str) -> tuple[str | None, str]:
    """The task that a measure's name says, if it does, and the name without it."""
    task, _, measure = name.rpartition("/")
    return task or None, measure


def task_of(tasks: Sequence[str], name: str) -> str:
    """The task that a measure is of: the first, where its name does not say."""
    return split(name)[0] or tasks[0]


def of_job(kind: Kind, tasks: Sequence[str]) -> Mapping[str, Measure]:
    """The measures of a job's tests by their names, task by task; of a score, which is no probability, its order."""
    if len(tasks) < 2:
        return MEASURES[kind]
    listed = [
        replace(each, name=in_task(task, name, tasks))
        for task in tasks for name, each in MEASURES[kind].items() if task != SCORE or name in OF_ORDER
    ]  # fmt: skip
    return {each.name: each for each in listed}


def measure_of(kind: Kind, name: str) -> Measure:
    """A measure by its name, in whichever task."""
    return MEASURES[kind][split(name)[1]]


def columns(measures: Mapping[str, Measure]) -> tuple[str, ...]:
    """Measures that tables and the CSV show, in their order."""
    return tuple(name for name, each in measures.items() if each.column)


def allowed(measures: Mapping[str, Measure], use: Use) -> tuple[str, ...]:
    """Measures that a setting of this use may name."""
    return tuple(name for name, each in measures.items() if use in each.uses)


def figures(values: Mapping[str, float | int | None]) -> list[str]:
    """The measures of a test that have a column and a value; of measures that are no longer known too."""
    hidden = {name for listed in MEASURES.values() for name, each in listed.items() if not each.column}
    return [f"{n} {v:.4f}" for n, v in values.items() if isinstance(v, float) and split(n)[1] not in hidden]


def headline(values: Mapping[str, float | int | None]) -> list[str]:
    """The few measures that a run's line shows, of those that have a value."""
    names = dict.fromkeys(name for listed in MEASURES.values() for name, each in listed.items() if each.headline)
    known = [(name, value) for each in names for name, value in values.items() if split(name)[1] == each]
    return [f"{name} {value:.4f}" for name, value in known if isinstance(value, float)]
