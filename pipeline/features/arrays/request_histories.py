"""The windows of a day's requests, cut from the feature state, and who has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import Kind
from pipeline.features.arrays.feature_codes import owner_codes
from pipeline.features.arrays.look_up import LookUp, made_ids
from pipeline.features.arrays.raw_values import bag_width
from pipeline.features.frames.frame import Array, Lists
from pipeline.features.ids.codes import Codes
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows, flat
from pipeline.features.state.histories import Entries
from pipeline.features.state.state import FeatureState
from pipeline.features.state.style_counts import STYLES, counted
from pipeline.features.state.windows import fill, window_positions

LastYear = Mapping[str, Codes]
"""Last year's windows by part: codes ``[requests, length, values]``."""
_NO_DAY = -2
"""Where a window of styles has none, in place of a style's column."""


class Histories:
    """The histories of a day's requests as of the end of the day before."""

    def __init__(self, plan: Plan, rows: DayRows, look: LookUp, state: FeatureState, last_year: LastYear) -> None:
        self._plan, self._rows, self._look, self._last_year = plan, rows, look, last_year
        self._history = plan.config.history
        self._entries: Entries | None = None
        self._counted: Entries | None = None
        self._parts: dict[str, Lists] = {}
        self.beyond: dict[str, int] = {}
        """By feature of style counts, the sum of those whose style has no column."""
        if plan.of_frame("history", "last_year"):
            self._entries = state.histories.entries(owner_codes(plan, rows.requests))
        if state.style_counts is not None:
            self._counted = state.style_counts.entries(owner_codes(plan, rows.requests))

    def _positions(self, length: int, lead: int) -> NDArray[np.int64]:
        assert self._entries is not None
        entries, mode = self._entries, self._history.days if self._plan.ranking else "active"
        return window_positions(
            entries.offsets, entries.days, entries.rows, self._rows.day, length=length, lead=lead, mode=mode
        )

    def values(self) -> dict[str, Array]:
        """Every feature of the frames ``history``, ``last_year`` and ``style_counts``."""
        values = self._style_counts()
        if self._entries is None:
            return values
        for planned in self._plan.of_frame("history"):
            feature = planned.feature
            if not feature.has_ids:
                values[planned.name], self.beyond[planned.name] = self._styles_set(feature.size)
                continue
            positions = self._positions(feature.steps, feature.lead)
            lists, padding = self._part(planned.column), self._look.padding(self._space(planned.column))
            if feature.kind is Kind.SEQUENCE:
                values[planned.name] = fill(lists, positions, 1, padding)[..., 0]
            else:
                longest = int(lists.lengths.max(initial=0))
                values[planned.name] = fill(lists, positions, bag_width(longest, feature.values), padding)
            values[planned.name] = self._made(planned, values[planned.name])
        for planned in self._plan.of_frame("last_year"):
            windows = self._look.of_codes(self._space(planned.column), self._last_year[planned.column])
            made, padding = self._made(planned, windows), self._look.padding(planned.feature.space or "")
            values[planned.name] = _trimmed(made, planned.feature.values, padding)
        self._widen(values)
        return values

    def _space(self, part: str) -> str:
        return self._plan.history_parts[part]

    def _part(self, name: str) -> Lists:
        """A part of the entries as the arrays hold it: each entry is looked up once, however many windows it is in."""
        if name not in self._parts:
            assert self._entries is not None
            codes = self._entries.parts[name]
            self._parts[name] = Lists(codes.offsets, self._look.of_codes(self._space(name), codes.values))
        return self._parts[name]

    def _styles_set(self, size: int) -> tuple[NDArray[np.float32], int]:
        assert self._entries is not None
        styles = self._entries.parts["styles"]
        columns = Lists(styles.offsets, self._look.columns(self._space("styles"), styles.values))
        positions = self._positions(self._history.length, 0)
        return style_counts(fill(columns, positions, self._history.values, _NO_DAY), size)

    def _style_counts(self) -> dict[str, Array]:
        values: dict[str, Array] = {}
        if self._counted is None or self._plan.counted_space is None:
            return values
        styles = self._counted.parts[STYLES]
        columns = Lists(styles.offsets, self._look.columns(self._plan.counted_space, styles.values))
        entries = replace(self._counted, parts={**self._counted.parts, STYLES: columns})
        for planned in self._plan.of_frame("style_counts"):
            values[planned.name], self.beyond[planned.name] = counted(
                entries, self._rows.day, planned.column, self._history.length, planned.feature.size
            )
        return values

    def _made(self, planned: PlannedFeature, windows: Array) -> Array:
        """Windows of the ids that the feature's rule makes of those of its part; what it makes none of is left out."""
        if planned.plain:
            return windows
        made = made_ids(self._plan, planned, self._space(planned.column), windows, self._look)
        order = np.argsort(made == self._look.padding(planned.feature.space or ""), axis=-1, kind="stable")
        return np.take_along_axis(made, order, axis=-1)

    def _widen(self, values: dict[str, Array]) -> None:
        """A history and its stand-in get one width, so that one can take the other's place."""
        for planned in self._plan.of_frame("history"):
            other = planned.feature.stand_in
            if other is not None and planned.name in values and other in values:
                width = max(values[planned.name].shape[-1], values[other].shape[-1])
                padding = self._look.padding(planned.feature.space or "")
                values[planned.name] = _padded(values[planned.name], width, padding)
                values[other] = _padded(values[other], width, padding)

    def empty_days(self) -> NDArray[np.int16]:
        """Days of each window without history; zeros where the job keeps none."""
        if self._entries is None or not self._plan.ranking:
            return np.zeros(self._rows.requests.rows, np.int16)
        return (self._positions(self._history.length, 0) < 0).sum(axis=1).astype(np.int16)

    def groups(self, empty: NDArray[np.int16]) -> dict[str, NDArray[np.bool_]]:
        """Who has no history at all: users who registered within the window or later, and the others of them."""
        ranking = self._plan.config.ranking
        if ranking is None or self._entries is None:
            return {}
        none = empty == self._history.length
        if ranking.profile is None or ranking.profile.register_day is None:
            return {"no_history": none, "known": ~none}
        registered = flat(self._rows.requests[f"user.{ranking.profile.register_day}"]).astype("datetime64[D]")
        since = np.datetime64(self._rows.day.plus(-self._history.length).date)
        new = none & (registered >= since)
        return {"new_user": new, "new_owner": none & ~new, "known": ~none}


def _trimmed(windows: Array, values: int, padding: Any) -> Array:
    """Windows as wide as their fullest day needs."""
    used = int((windows != padding).any(axis=(0, 1)).nonzero()[0].max(initial=-1)) + 1 if windows.size else 0
    return _padded(windows, bag_width(used, values), padding)


def _padded(windows: Array, width: int, padding: Any) -> Array:
    if windows.shape[-1] >= width:
        return windows[..., :width]
    out = np.full((*windows.shape[:-1], width), padding, windows.dtype)
    out[..., : windows.shape[-1]] = windows
    return out


def style_counts(styles: NDArray[Any], size: int) -> tuple[NDArray[np.float32], int]:
    """On how many days of each window each style was set.

    Args:
        styles: columns ``[requests, days, values]``, −2 where there is none.
        size: number of styles counted: those that were seen first.

    Returns: float32 ``[requests, size]``, and how many days' styles have no column.
    """
    requests = len(styles)
    column = styles.reshape(requests, -1).astype(np.int64)
    kept = (column >= 0) & (column < size)
    cell = (np.arange(requests)[:, None] * size + column)[kept]
    table = np.bincount(cell, minlength=requests * size).reshape(requests, size).astype(np.float32)
    return table, int((column != _NO_DAY).sum() - kept.sum())
