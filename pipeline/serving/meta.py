"""The settings that came with a release, made ready for answering requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.errors import DayspringError
from pipeline.features.frames.frame import Column
from pipeline.features.plan.counted import features_of
from pipeline.features.plan.plan import Plan
from pipeline.features.state.counters import Cells
from pipeline.features.state.state import TOTALS, Group, StatePlan
from pipeline.release.contents.columns_json import column
from pipeline.release.contents.parts import decoded

HISTORY_IDS, COUNTED_IDS = "styles", "counted_styles"
"""The fields of what stands in ``history_ids`` and ``counted_ids``."""
FIELDS = ("encoding", "config", "day", "frames", "overall", "counters", HISTORY_IDS, COUNTED_IDS, TOTALS)


@dataclass(frozen=True)
class CounterPart:
    """Where a counter's cells are: the part's name, what the key is called by, what is stored."""

    part: str
    group: Group
    half_lives: tuple[float, ...]
    counts_only: bool

    @cached_property
    def key(self) -> tuple[str, ...]:
        """The features of the key."""
        return features_of(self.group)

    @property
    def sums(self) -> bool:
        """Whether a value is summed, in the place of positive labels."""
        return self.key != self.group


class Meta:
    """A release's ``meta`` part.

    Attributes:
        plan: the job's features as they were when the release was built.
        day: the day at whose end the contents stand.
        history_ids: the ids that have a column in counts of a history's days, in order.
        counted_ids: likewise in the table of counts by id.

    Raises:
        DayspringError: the release is of an earlier version, and this one cannot read all of it.
    """

    def __init__(self, fields: Mapping[str, bytes]) -> None:
        values = {name: decoded(text) for name, text in fields.items()}
        self.config = JobConfig.model_validate(values["config"])
        self.plan = Plan(self.config)
        self.day = Day.parse(values["day"])
        if values.get("encoding", 1) < 2 and self.plan.of_frame("last_year"):
            raise DayspringError(
                f"the release of {self.day} was published by an earlier version, which kept last year's histories in "
                f"another way; run `python -m pipeline stage publish --job {self.config.job} --day D` for a day that "
                "this version has built"
            )
        self.history_ids: list[Any] = values.get(HISTORY_IDS, [])
        self.counted_ids: list[Any] = values.get(COUNTED_IDS, [])
        self.counters = [
            CounterPart(name, tuple(each["key"]), tuple(each["half_lives"]), each["counts_only"])
            for name, each in values["counters"].items()
        ]
        self._frames: dict[str, list[tuple[str, str]]] = {
            name: [(each, kind) for each, kind in columns] for name, columns in values["frames"].items()
        }
        self._overall: dict[str, Any] = values["overall"]
        self._totals: dict[str, dict[str, Any]] = values.get(TOTALS, {})

    @cached_property
    def state_plan(self) -> StatePlan:
        # What is drawn for the steps of histories is for training alone.
        return replace(StatePlan.of(self.config), negatives=None)

    @cached_property
    def overall(self) -> Cells:
        """The cells of all events together."""
        return self._cells(self._overall)

    @cached_property
    def totals(self) -> dict[str, Cells]:
        """Those of what counters sum beside events."""
        return {name: self._cells(told, sums=True) for name, told in self._totals.items()}

    def _cells(self, told: Mapping[str, Any], *, sums: bool = False) -> Cells:
        like = Cells.absent((), self.state_plan.half_lives, sums=sums)
        columns = {name: np.array(told[name], each.dtype) for name, each in like.columns().items()}
        return Cells(half_lives=like.half_lives, **columns)

    def frame(self, name: str, rows: Sequence[Sequence[Any] | None]) -> dict[str, Column]:
        """The columns of a part of rows; those of a row that is not there are missing."""
        columns = self._frames.get(name, [])
        values = [row if row is not None else [None] * len(columns) for row in rows]
        return {
            column_name: column([row[at] for row in values], kind) for at, (column_name, kind) in enumerate(columns)
        }
