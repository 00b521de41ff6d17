"""What there is to offer: what was seen up to a day, how often they were taken, when last seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.features.frames.frame import Column, Lists
from pipeline.features.frames.keyed import Keyed, Layered
from pipeline.features.ids.fingerprints import Codes, are_known

_TAKEN, _LAST_DAY, _ROLE = "taken", "last_day", "role."


@dataclass(frozen=True)
class Catalogue:
    """By code of what is offered: ``taken`` int64, ``last_day`` int32, and lists by role, as they first appeared."""

    roles: tuple[str, ...]
    table: Layered

    @classmethod
    def empty(cls, roles: tuple[str, ...]) -> Catalogue:
        none = Lists(np.zeros(1, np.int64), np.zeros(0, np.int64))
        columns: dict[str, Column] = {_TAKEN: np.zeros(0, np.int64), _LAST_DAY: np.zeros(0, np.int32)}
        columns |= {_ROLE + role: none for role in roles}
        return cls(roles, Layered.of(Keyed(np.zeros(0, np.int64), columns)))

    def apply(
        self, keys: Codes, taken: NDArray[np.int32], attributes: Mapping[str, Lists], day: Day
    ) -> Catalogue:
        """The catalogue after a day; a key may recur, its times taken add up, its first attributes count for good."""
        known = np.flatnonzero(are_known(keys))
        if not len(known):
            return self
        distinct, first, inverse = np.unique(keys[known], return_index=True, return_inverse=True)
        times = np.zeros(len(distinct), np.int64)
        np.add.at(times, inverse, taken[known])
        here: dict[str, Column] = {
            _TAKEN: times,
            _LAST_DAY: np.full(len(distinct), day.ordinal, np.int32),
        }
        for role in self.roles:
            lists = attributes[role].take(known[first])
            here[_ROLE + role] = lists
        earlier = Keyed(distinct, self.table.at(distinct))
        before = np.flatnonzero(_array(earlier, _LAST_DAY))
        first_seen = Keyed(distinct, here).overridden(earlier.take(before))
        now = {_TAKEN: times + _array(earlier, _TAKEN), _LAST_DAY: here[_LAST_DAY]}
        rows = Keyed(distinct, {**first_seen.columns, **now})
        return Catalogue(self.roles, self.table.updated(rows))

    def all(self) -> tuple[Codes, dict[str, Lists], NDArray[np.int64]]:
        """All that was offered, ascending by code: codes ``[offered]``, lists by role, times taken int64."""
        table = self.table.merged
        roles = {role: table.columns[_ROLE + role] for role in self.roles}
        return table.keys, _only_lists(roles), _array(table, _TAKEN)

    def seen_since(self, day: Day) -> Codes:
        """Code of each that was seen on ``day`` or later, ascending."""
        table = self.table.merged
        return table.keys[_array(table, _LAST_DAY) >= day.ordinal]


def _array(table: Keyed, name: str) -> NDArray[np.int64]:
    column = table.columns[name]
    assert not isinstance(column, Lists)
    return column


def _only_lists(columns: Mapping[str, Column]) -> dict[str, Lists]:
    return {name: column for name, column in columns.items() if isinstance(column, Lists)}
