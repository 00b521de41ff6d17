"""The measures of all tested days, read from the manifests of their tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.days import Day
from pipeline.evaluation.records import TestRecord
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import TEST
from pipeline.storage.artifacts.readable import Readable


@dataclass(frozen=True)
class TestedDay:
    """One test: the checkpoint of an earlier day on this day's rows."""

    day: Day
    experiment: str
    checkpoint: Day
    rows: int
    values: dict[str, float | int | None]
    reasons: dict[str, str]
    counts: dict[str, int]
    groups: dict[str, dict[str, Any]]

    def row(self, columns: Sequence[str], *, everything: bool = False) -> dict[str, Any]:
        """As a row of the CSV; with ``everything``, reasons, counts and groups too."""
        row: dict[str, Any] = {
            "day": str(self.day), "experiment": self.experiment, "checkpoint": str(self.checkpoint), "rows": self.rows,
        }  # fmt: skip
        if everything:
            return {**row, **self.values, "reasons": self.reasons, "counts": self.counts, "groups": self.groups}
        return {**row, **{name: _text(self.values.get(name)) for name in columns}}


def _text(value: float | int | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.6f}"


def measured_days(context: JobContext, readable: Readable, day: Day | None = None) -> Iterator[TestedDay]:
    """Every test of the job by day, then in the YAML's order of experiments (removed ones last).

    Args:
        readable: is told of tests that are damaged, which are left out.
    """
    store, job = context.store, context.config.job
    names = store.experiments(TEST, job, first=context.config.experiments)
    days = {name: set(store.days(TEST, job, name)) for name in names}
    for tested in sorted(set().union(*days.values())) if day is None else [day]:
        for name in names:
            if tested not in days[name]:
                continue
            artifact = readable(store.current, Ref(TEST, job, tested, name))
            said = readable(TestRecord.of, artifact) if artifact is not None else None
            if artifact is None or said is None:
                continue
            yield TestedDay(
                tested, name, said.checkpoint_day, artifact.manifest.rows["tested"],
                said.values, said.reasons, said.counts, said.groups,
            )  # fmt: skip
