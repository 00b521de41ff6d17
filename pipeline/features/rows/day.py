"""A day's rows as every kind of request gives them to mapping and assembling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.features.frames.frame import Array, Column, Frame, Lists

Tables = Callable[[str], pa.Table]
"""Gives a validated table of a day by its name in the settings."""


@dataclass(frozen=True, kw_only=True)
class DayRows:
    """One day's requests and events in raw ids, in canonical order.

    Attributes:
        kind: what a file of rows calls them.
        events: what happened, one row each, with columns ``row.*``, ``user.*`` and ``calendar.*``: counters and
            histories are made of it.
        label: int8 ``[events]``, 1 positive.
        further: labels of tasks beside the first by name, -1 where a task was not judged.
        items: what the events are of, with columns ``item.*``; ``event_item`` ``[events]`` points into it.
        requests: one row a request, with the columns of ``events``.
        weight: float32 ``[requests]``.
        counts: what was left out, and how much.
    """

    kind: ClassVar[str] = "rows"
    day: Day
    events: Frame
    label: NDArray[np.int8]
    items: Frame
    event_item: NDArray[np.int64]
    requests: Frame
    weight: NDArray[np.float32]
    counts: Mapping[str, int] = field(default_factory=dict)
    further: Mapping[str, NDArray[np.int8]] = field(default_factory=dict)

    @property
    def labels(self) -> NDArray[np.int8]:
        """Of every task, ``[events, tasks]``."""
        return np.stack([self.label, *self.further.values()], axis=1)

    def beside(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """What the rows hold beside these, to be stored: columns, and JSON values."""
        return {}, {}

    @classmethod
    def of(cls, fields: Mapping[str, Any], column: Callable[[str], Array], told: Mapping[str, Any]) -> Self:
        """The rows of the fields above and of what ``beside`` gave."""
        return cls(**fields)


def flat(column: Column) -> Array:
    """A column that holds one value a row."""
    if isinstance(column, Lists):
        raise TypeError("the column holds lists where one value a row is needed")
    return np.asarray(column)
