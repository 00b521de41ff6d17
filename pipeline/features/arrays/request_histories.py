"""The windows of a day's requests, cut from the feature state, and who has none."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.schema import Kind
from pipeline.features.arrays.feature_codes import owner_codes
from pipeline.features.arrays.look_up import LookUp, made_ids
from pipeline.features.arrays.raw_values import bag_width
from pipeline.features.frames.frame import Array, Lists
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.levels import PART
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows, flat
from pipeline.features.state.events import TIMES
from pipeline.features.state.histories import Entries, beside_of
from pipeline.features.state.sessions import of_days, of_gaps, split_by
from pipeline.features.state.state import FeatureState
from pipeline.features.state.windows import GAP, chosen, fill, window_positions

_UNITS: Mapping[str, Literal["s", "h"]] = {"second": "s", "hour": "h"}

LastYear = Mapping[str, Codes]
"""Last year's windows by part: codes ``[requests, length, values]``."""


class Histories:
    """The histories of a day's requests as of the end of the day before."""

    def __init__(self, plan: Plan, rows: DayRows, look: LookUp, state: FeatureState, last_year: LastYear) -> None:
        self._plan, self._rows, self._look, self._state, self._last_year = plan, rows, look, state, last_year
        self._mode = state.histories.rule.mode
        self._parts: dict[str, Lists] = {}
        self._windows: dict[tuple[int, int], NDArray[np.int64]] = {}
        self._sessions: dict[tuple[Any, ...], NDArray[np.int64]] = {}
        self._chosen: dict[tuple[Any, ...], NDArray[np.int64]] = {}
        self._owner = owner_codes(plan, rows.requests)
        self.beyond: dict[str, int] = {}
        """By feature that counts ids, the sum of those that have no column."""

    @cached_property
    def _entries(self) -> Entries:
        return self._state.histories.entries(self._owner)

    @property
    def _are_read(self) -> bool:
        return bool(self._plan.of_frame("history", "last_year"))

    def _positions(self, length: int, lead: int) -> NDArray[np.int64]:
        if (length, lead) not in self._windows:
            entries = self._entries
            self._windows[length, lead] = window_positions(
                entries.offsets, entries.days, entries.rows, self._rows.day, length=length, lead=lead, mode=self._mode
            )
        return self._windows[length, lead]

    def _of(self, levels: tuple[str, ...], length: int) -> NDArray[np.int64]:
        """The last entries of which that came: ``[requests, length]``."""
        if (levels, length) not in self._chosen:
            space, came = self._space(PART), self._part(PART)
            each = np.asarray(came.padded(1, self._look.padding(space)))[:, 0]
            wanted = np.asarray(self._look.of_raw(space, np.array(levels, object)))
            fits = np.asarray((each[:, None] == wanted).any(axis=1), bool)
            self._chosen[levels, length] = chosen(self._positions(self._state.histories.rule.keep, 0), fits, length)
        return self._chosen[levels, length]

    def values(self) -> dict[str, Array]:
        """Every feature of the histories."""
        values: dict[str, Array] = {}
        for planned in self._plan.of_frame("history"):
            feature = planned.feature
            if feature.kind is Kind.AGES:
                values[planned.name] = self._ages(planned)
            if not feature.has_ids:
                continue
            values[planned.name] = self._made(planned, self._filled(planned))
        if self._state.negatives is not None:
            values |= self._negatives(self._state.negatives.entries(self._owner))
        for planned in self._plan.of_frame("last_year"):
            windows = self._look.of_codes(self._space(planned.column), self._last_year[planned.column])
            made, padding = self._made(planned, windows), self._look.padding(planned.feature.space or "")
            values[planned.name] = _trimmed(made, planned.feature.values, padding)
        self._widen(values)
        return values

    def _filled(self, planned: PlannedFeature) -> Array:
        """The ids of a feature's steps, as its part holds them."""
        feature, positions = planned.feature, self._slots(planned)
        lists, padding = self._part(planned.column), self._look.padding(self._space(planned.column))
        if feature.kind in (Kind.SEQUENCE, Kind.SESSIONS):
            return fill(lists, positions, 1, padding)[..., 0]
        longest = int(lists.lengths.max(initial=0))
        return fill(lists, positions, bag_width(longest, feature.values), padding)

    def _slots(self, planned: PlannedFeature) -> NDArray[np.int64]:
        """The entry in each slot of a feature: ``[requests, days]``, or ``[requests, sessions, steps]``."""
        feature, split, levels = planned.feature, planned.settings.sessions, planned.settings.levels
        if split is None:
            return self._positions(feature.steps, feature.lead) if levels is None else self._of(levels, feature.steps)
        key = (split.most, feature.steps, split.least, split.gap_minutes, levels)
        if key not in self._sessions:
            keep, entries = self._state.histories.rule.keep, self._entries
            kept = self._positions(keep, 0) if levels is None else self._of(levels, keep)
            if split.gap_minutes is None:
                begins = of_days(entries.days)
            else:
                begins = of_gaps(entries.parts[TIMES].values, split.gap_minutes)
            self._sessions[key] = split_by(kept, begins, split.most, feature.steps, split.least)
        return self._sessions[key]

    def _ages(self, ages: PlannedFeature) -> NDArray[np.float32]:
        """From each step of the group to the request, ``[requests, steps]``; NaN where there is none.

        A moment after the request's, of rows that are dated to an earlier day, is as old as the request: 0.
        """
        history = next(
            f for f in self._plan.of_frame("history")
            if f.feature.kind.is_history and f.feature.group == ages.feature.group
        )  # fmt: skip
        positions = self._slots(history)
        positions = positions.reshape(len(positions), -1)
        if ages.settings.unit == "day":
            old: NDArray[Any] = self._rows.day.ordinal - np.append(self._entries.days, 0)[positions]
        else:
            # What the row says of itself; what it does not say (of a request that is served) is unknown.
            now = flat(self._rows.requests[f"row.{self._plan.request.time}"]).astype("datetime64[ms]")[:, None]
            then = np.append(self._entries.parts[TIMES].values, 0)[positions].astype("datetime64[ms]")
            old = np.maximum((now - then) / np.timedelta64(1, _UNITS[ages.settings.unit]), 0)
        return np.where(positions == GAP, np.nan, old).astype(np.float32)

    def _negatives(self, found: Entries) -> dict[str, Array]:
        """What could have stood in the steps of histories: ``[requests, steps, count]`` by feature."""
        values: dict[str, Array] = {}
        for feature in self._plan.schema.features:
            if feature.kind is not Kind.NEGATIVES:
                continue
            planned = self._plan.features[str(feature.of)]
            space = self._space(planned.column)
            slots = self._slots(planned).reshape(len(self._entries.rows), feature.steps)
            codes = found.parts[planned.column]
            lists = Lists(codes.offsets, self._look.of_codes(space, codes.values))
            beside = fill(lists, beside_of(self._entries, found, slots), feature.values, self._look.padding(space))
            values[feature.name] = self._made(planned, beside)
        return values

    def _space(self, part: str) -> str:
        return self._plan.request.history_parts[part]

    def _part(self, name: str) -> Lists:
        """A part of the entries as the arrays hold it: each entry is looked up once, however many windows it is in."""
        if name not in self._parts:
            codes = self._entries.parts[name]
            self._parts[name] = Lists(codes.offsets, self._look.of_codes(self._space(name), codes.values))
        return self._parts[name]

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
                values[planned.name] = widened(values[planned.name], width, padding)
                values[other] = widened(values[other], width, padding)

    def empty_days(self) -> NDArray[np.int16]:
        """Days of each request's window without history, ``[requests]``; zeros where windows are not of days."""
        return np.zeros(self._rows.requests.rows, np.int16)

    def groups(self, empty: NDArray[np.int16]) -> dict[str, NDArray[np.bool_]]:
        """Requests by what is known of who asks, ``[requests]`` by name."""
        return {}


def _trimmed(windows: Array, values: int, padding: Any) -> Array:
    """Windows as wide as their fullest day needs."""
    used = int((windows != padding).any(axis=(0, 1)).nonzero()[0].max(initial=-1)) + 1 if windows.size else 0
    return widened(windows, bag_width(used, values), padding)


def widened(windows: Array, width: int, padding: Any) -> Array:
    """``[..., width]``: cut or filled up with padding at the end of the last axis."""
    if windows.shape[-1] >= width:
        return windows[..., :width]
    out = np.full((*windows.shape[:-1], width), padding, windows.dtype)
    out[..., : windows.shape[-1]] = windows
    return out
