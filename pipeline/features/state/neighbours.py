"""By value, the values that were most often taken beside it: the cosine of who took what on one day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.config.bags import Collaborative
from pipeline.days import Day
from pipeline.features.frames.frame import Array, Lists
from pipeline.features.frames.keyed import Keyed
from pipeline.features.ids.fingerprints import MISSING, Codes
from pipeline.features.state.bags import EVENT, parted
from pipeline.features.state.histories import HistoryTable

SMOOTHING = 10.0
"""Added to how many baskets hold a value."""
NEAR, WEIGHT = "near", "weight"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Neighbours:
    """What was counted as of the end of a day.

    Attributes:
        table: by code of a value the codes of its neighbours, ``near`` int64 ``[neighbours]``, nearest first and
            ``MISSING`` behind the last, and each one's ``weight`` float32 ``[neighbours]``.
    """

    table: Keyed

    @classmethod
    def none(cls, settings: Collaborative) -> Neighbours:
        return cls(rows_of(np.zeros(0, np.int64), np.zeros((0, settings.neighbours), np.int64),
                           np.zeros((0, settings.neighbours), np.float32)))  # fmt: skip

    @classmethod
    def fit(cls, settings: Collaborative, table: HistoryTable, day: Day) -> Neighbours:
        """C[h, s] / √((n_h + 10) (n_s + 10)) of baskets: what an owner took on one day, up to the end of ``day``."""
        entries = table.all(day)[1]
        _, bags = parted(entries.parts[EVENT])
        if not len(bags.values):
            return cls.none(settings)
        owner = np.repeat(np.arange(len(entries.offsets) - 1), np.diff(entries.offsets))
        basket = np.unique(np.stack([owner, entries.days]), axis=1, return_inverse=True)[1].ravel()
        values, row = np.unique(bags.values, return_inverse=True)
        number = len(values)
        basket, row = np.divmod(np.unique(np.repeat(basket, bags.lengths) * number + row), number)
        held = Lists(_ends(np.bincount(basket)), row)
        order, baskets = np.argsort(row, kind="stable"), np.bincount(row, minlength=number)
        holding = Lists(_ends(baskets), basket[order])
        near = np.full((number, settings.neighbours), MISSING, np.int64)
        weight = np.zeros((number, settings.neighbours), np.float32)
        for value in range(number):
            own = held.take(holding.values[holding.offsets[value] : holding.offsets[value + 1]])
            together = np.bincount(own.values, minlength=number)
            beside = np.flatnonzero(together)
            cosine = together[beside] / np.sqrt((baskets[value] + SMOOTHING) * (baskets[beside] + SMOOTHING))
            nearest = np.argsort(-cosine, kind="stable")[: settings.neighbours]
            near[value, : len(nearest)] = values[beside[nearest]]
            weight[value, : len(nearest)] = cosine[nearest]
        return cls(rows_of(values, near, weight))

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Named arrays; ``from_arrays`` makes equal neighbours of them."""
        return {"values": self.table.keys, **{name: self.column(name) for name in (NEAR, WEIGHT)}}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Neighbours:
        return cls(rows_of(*(np.asarray(arrays[name]) for name in ("values", NEAR, WEIGHT))))

    def column(self, name: str) -> Array:
        """``near`` or ``weight`` of all values, ``[values, neighbours]``."""
        column = self.table.columns[name]
        assert not isinstance(column, Lists)
        return column


def rows_of(values: Codes, near: Codes, weight: NDArray[np.float32]) -> Keyed:
    """A table of neighbours."""
    return Keyed(values.astype(np.int64, copy=False), {
        NEAR: near.astype(np.int64, copy=False), WEIGHT: weight.astype(np.float32, copy=False)
    })  # fmt: skip


def last_taken(settings: Collaborative, table: HistoryTable, owner: Codes) -> Lists:
    """What owners took on the last ``baskets`` days that they took something, each code once, ascending."""
    entries = table.entries((owner,))
    _, bags = parted(entries.parts[EVENT])
    done: dict[int, list[int]] = {}
    for row in entries.rows.tolist():
        if row not in done:
            events = slice(int(entries.offsets[row]), int(entries.offsets[row + 1]))
            days = entries.days[events]
            # Days are ascending: those that are not above the first that is left out go.
            distinct = np.unique(days)[-settings.baskets :]
            start = events.start + int(np.searchsorted(days, distinct[0])) if len(distinct) else events.start
            done[row] = np.unique(bags.values[bags.offsets[start] : bags.offsets[events.stop]]).tolist()
    return Lists.of([done[row] for row in entries.rows.tolist()], np.int64)


def _ends(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
