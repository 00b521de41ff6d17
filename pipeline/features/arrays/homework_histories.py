"""Histories of classes: besides windows of days, how often each style was set, and who has no history."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import Kind
from pipeline.features.arrays.look_up import LookUp
from pipeline.features.arrays.request_histories import Histories, LastYear
from pipeline.features.frames.frame import Array, Lists
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.homework import STYLE_COUNTS, HomeworkPlan
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows, flat
from pipeline.features.state.sessions import last_of
from pipeline.features.state.state import FeatureState
from pipeline.features.state.style_counts import STYLES, counted
from pipeline.features.state.windows import GAP, fill

_NO_DAY = -2
"""Where a window of styles has none, in place of a style's column."""


class HomeworkHistories(Histories):
    """The histories of the classes and teachers of a day's requests."""

    def __init__(
        self, plan: Plan, request: HomeworkPlan, rows: DayRows, look: LookUp, state: FeatureState, last_year: LastYear
    ) -> None:
        super().__init__(plan, rows, look, state, last_year)
        self._request, self._history = request, plan.config.history

    def values(self) -> dict[str, Array]:
        return self._counted() | self._set() | super().values()

    def _set(self) -> dict[str, Array]:
        """On how many days of its window each style was set, by feature."""
        values: dict[str, Array] = {}
        for planned in self._plan.of_frame("history"):
            if planned.column != STYLE_COUNTS:
                continue
            styles = self._entries.parts["styles"]
            columns = Lists(styles.offsets, self._look.columns(self._space("styles"), styles.values))
            windows = fill(columns, self._positions(self._history.length, 0), self._history.values, _NO_DAY)
            values[planned.name], self.beyond[planned.name] = style_counts(windows, planned.feature.size)
        return values

    def _counted(self) -> dict[str, Array]:
        """What the table of style counts says, by feature."""
        values: dict[str, Array] = {}
        space = self._request.counted_space
        if self._state.counts_by_id is None or space is None:
            return values
        entries = self._state.counts_by_id.entries(self._owner)
        styles = entries.parts[STYLES]
        columns = Lists(styles.offsets, self._look.columns(space, styles.values))
        entries = replace(entries, parts={**entries.parts, STYLES: columns})
        for planned in self._plan.of_frame("style_counts"):
            values[planned.name], self.beyond[planned.name] = counted(
                entries, self._rows.day, planned.column, self._history.length, planned.feature.size
            )
        return values

    def _filled(self, planned: PlannedFeature) -> Array:
        if planned.feature.kind is not Kind.SESSIONS:
            return super()._filled(planned)
        lists, padding = self._part(planned.column), self._look.padding(self._space(planned.column))
        return fill(lists, self._session_days(planned), planned.feature.steps, padding)

    def _slots(self, planned: PlannedFeature) -> NDArray[np.int64]:
        """Of sessions, whose steps are the ids of a day, the day of each step: ``[requests, sessions, steps]``."""
        if planned.feature.kind is not Kind.SESSIONS:
            return super()._slots(planned)
        days, steps = self._session_days(planned)[..., None], np.arange(planned.feature.steps)
        return np.where(steps < np.append(self._part(planned.column).lengths, 0)[days], days, GAP)

    def _session_days(self, planned: PlannedFeature) -> NDArray[np.int64]:
        """The last days of the window that are sessions, ``[requests, sessions]``, oldest first."""
        split = planned.settings.sessions
        assert split is not None
        enough = self._part(planned.column).lengths >= split.least
        return last_of(self._positions(self._history.length, 0), enough, split.most)

    def empty_days(self) -> NDArray[np.int16]:
        if not self._are_read:
            return super().empty_days()
        return (self._positions(self._history.length, 0) < 0).sum(axis=1).astype(np.int16)

    def groups(self, empty: NDArray[np.int16]) -> dict[str, NDArray[np.bool_]]:
        """Who has no history at all: users who registered within the window or later, and the others of them."""
        if not self._are_read:
            return {}
        none, profile = empty == self._history.length, self._request.settings.profile
        if profile is None or profile.register_day is None:
            return {"no_history": none, "known": ~none}
        registered = flat(self._rows.requests[f"user.{profile.register_day}"]).astype("datetime64[D]")
        since = np.datetime64(self._rows.day.plus(-self._history.length).date)
        new = none & (registered >= since)
        return {"new_user": new, "new_owner": none & ~new, "known": ~none}


def style_counts(styles: NDArray[Any], size: int) -> tuple[NDArray[np.float32], int]:
    """On how many days of each window each style was set.

    Args:
        styles: columns ``[requests, days, values]``, −2 where there is none.
        size: number of styles counted: those that were seen first.

    Returns: float32 ``[requests, size]``, and how many days' styles have no column.
    """
    requests, days, values = styles.shape
    column = styles.reshape(requests, days * values).astype(np.int64)
    kept = (column >= 0) & (column < size)
    cell = (np.arange(requests)[:, None] * size + column)[kept]
    table = np.bincount(cell, minlength=requests * size).reshape(requests, size).astype(np.float32)
    return table, int((column != _NO_DAY).sum() - kept.sum())
