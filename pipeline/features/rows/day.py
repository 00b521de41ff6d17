"""A day's rows as every kind of request gives them to mapping and assembling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.features.frames.frame import Array, Column, Frame, Lists

Tables = Callable[[str], pa.Table]
"""Gives a validated table of a day by its name in the settings."""


@dataclass(frozen=True)
class Judged:
    """What is known of (request, package) pairs, each pair once.

    Attributes:
        request: int64 ``[pairs]`` row of the request.
        key: object ``[pairs]`` raw key of the package.
        label: int8 ``[pairs]``; 1 positive, 0 judged and negative.
        others: the label of candidates that are not among the pairs: 0 (negative) or -1 (not judged).
    """

    request: NDArray[np.int64]
    key: Array
    label: NDArray[np.int8]
    others: int


@dataclass(frozen=True)
class StudyRows:
    """How owners master sections, one row an (owner, base section): raw ids and float32 ``[rows, values]``."""

    owner: Array
    section: Array
    values: NDArray[np.float32]


@dataclass(frozen=True)
class StyleCountRows:
    """How often owners were set each style, one row an (owner, style): raw ids by owner column, and int64 counts."""

    owner: tuple[Array, ...]
    style: Array
    count: NDArray[np.int64]


@dataclass(frozen=True)
class DayRows:
    """One day's requests and events in raw ids, in canonical order.

    Attributes:
        events: what happened, one row each, with columns ``row.*``, ``user.*`` and ``calendar.*``: homework set, or
            an impression. Counters and histories are made of it.
        label: int8 ``[events]``, 1 positive; homework that was set is positive.
        items: packages or items with columns ``item.*``; ``event_item`` [events] points into it.
        requests: one row a request, with the columns of ``events``.
        judged: labels of a request's candidates; none where the label is the event's.
        weight: float32 ``[requests]``.
        counts: what was left out, and how much.
    """

    day: Day
    events: Frame
    label: NDArray[np.int8]
    items: Frame
    event_item: NDArray[np.int64]
    requests: Frame
    judged: Judged | None
    weight: NDArray[np.float32]
    study: StudyRows | None = None
    style_counts: StyleCountRows | None = None
    counts: Mapping[str, int] = field(default_factory=dict)

    def role(self, name: str) -> Lists:
        """A role of the packages as lists, one row an item."""
        column = self.items[f"item.{name}"]
        if isinstance(column, Lists):
            return column
        return Lists(np.arange(len(column) + 1, dtype=np.int64), column)


def flat(column: Column) -> Array:
    """A column that holds one value a row."""
    if isinstance(column, Lists):
        raise TypeError("the column holds lists where one value a row is needed")
    return column
