"""Windows of what an owner did on earlier days, and what a model is asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from examples.serving.released.ids import MISSING, PAD, Feature, made, padded, width_of

_GAP = -1
_TIMES = "step.time"
_PER_UNIT = {"second": 1_000, "hour": 3_600_000}


class History:
    """The entries of one owner, oldest first, as ``day`` looks at them.

    Args:
        stored: the field of the part ``histories``; nothing of an owner without one.
        calendar: whether a slot is a day of the calendar, not the next entry.
        now: milliseconds of the request's moment, if it is known.
    """

    def __init__(self, stored: Mapping[str, Any] | None, day: int, *, calendar: bool, now: float = np.nan) -> None:
        self._parts: Mapping[str, Any] = stored or {}
        self.days: list[int] = self._parts.get("days", [])
        self._day, self._calendar, self._now = day, calendar, now

    def window(self, length: int, lead: int = 0) -> list[int]:
        """The entry in each of the ``lead + length`` slots."""
        slots, number = lead + length, len(self.days)
        if not self._calendar:
            last = [*range(max(0, number - slots), number)]
            return last + [_GAP] * (slots - len(last))
        found = [_GAP] * slots
        for entry, day in enumerate(self.days):
            if day >= self._day - slots:
                found[day - (self._day - slots)] = entry
        return found

    def values(self, feature: Feature, keep: int) -> NDArray[Any]:
        """The ids of a feature, ``[1, …]``; ``keep``: entries kept of an owner."""
        part, pad = self._parts.get(feature.columns[0], []), PAD[feature.ids]
        slots = self._slots(feature, keep)
        if feature.kind == "bag_sequence":
            wide = width_of(max(map(len, part), default=0), feature.values)
            days = padded(feature.ids, [_ruled(feature, part[at][:wide]) if at != _GAP else [] for at in slots], wide)
            return days[None]
        if feature.kind == "sessions" and self._calendar:
            ids = [part[at][: feature.steps] if at != _GAP else [] for at in self._days(feature)]
            return padded(feature.ids, [_ruled(feature, each) for each in ids], feature.steps)[None]
        flat = [_ruled(feature, part[at][:1]) if at != _GAP else [] for at in slots]
        steps = padded(feature.ids, [[each[0] if each else pad for each in flat]], len(slots))
        return steps if feature.kind == "sequence" else steps.reshape(1, -1, feature.steps)

    def ages(self, feature: Feature, of: Feature, keep: int) -> NDArray[np.float32]:
        """From each step of a history to the request, ``[1, steps]``; NaN where there is none."""
        slots, unit = self._slots(of, keep), feature.unit or "day"
        if unit == "day":
            found = [np.nan if at == _GAP else self._day - self.days[at] for at in slots]
        else:
            times = self._parts.get(_TIMES, [])
            found = [np.nan if at == _GAP else (self._now - times[at][0]) / _PER_UNIT[unit] for at in slots]
            found = [max(each, 0.0) if each == each else each for each in found]
        return np.array([found], np.float32)

    def set_on(self, columns: Sequence[Any], size: int, length: int) -> NDArray[np.float32]:
        """On how many days of the window each style was set, ``[1, size]``; ``columns``: the styles that have one."""
        at = {style: place for place, style in enumerate(columns[:size])}
        table, styles = np.zeros((1, size), np.float32), self._parts.get("styles", [])
        for entry in self.window(length):
            for style in styles[entry] if entry != _GAP else []:
                if style in at:
                    table[0, at[style]] += 1
        return table

    def _slots(self, feature: Feature, keep: int) -> list[int]:
        """The entry in each slot; of sessions one after another, each as long as it may be."""
        rule: Mapping[str, Any] | None = feature.sessions
        if rule is None:
            if feature.levels is None:
                return self.window(feature.steps, feature.lead)
            kept = self._came(feature.levels, keep)[-feature.steps :]
            return kept + [_GAP] * (feature.steps - len(kept))
        if self._calendar:
            days = self._days(feature)
            lists = self._parts.get(feature.columns[0], [])
            steps = [min(len(lists[at]), feature.steps) if at != _GAP else 0 for at in days]
            return [at for at, n in zip(days, steps, strict=True) for at in [at] * n + [_GAP] * (feature.steps - n)]
        if feature.levels is None:
            kept = [at for at in self.window(keep) if at != _GAP]
        else:
            kept = self._came(feature.levels, keep)
        sessions: list[list[int]] = []
        for at in kept:
            if not sessions or self._begins(at, rule.get("gap_minutes")):
                sessions.append([])
            sessions[-1].append(at)
        sessions = [each[-feature.steps :] for each in sessions if len(each) >= rule["least"]][-rule["most"] :]
        sessions += [[]] * (rule["most"] - len(sessions))
        return [at for each in sessions for at in each + [_GAP] * (feature.steps - len(each))]

    def _came(self, levels: Iterable[str], keep: int) -> list[int]:
        """The entries of which that came."""
        came = self._parts.get("outcome", [])
        return [at for at in self.window(keep) if at != _GAP and came[at][0] in levels]

    def _begins(self, at: int, gap_minutes: float | None) -> bool:
        """Whether a session begins with an entry, whatever the one before it is."""
        if gap_minutes is None:
            return at == 0 or self.days[at] != self.days[at - 1]
        times = self._parts[_TIMES]
        return bool(at > 0 and times[at][0] - times[at - 1][0] > gap_minutes * 60_000)

    def _days(self, feature: Feature) -> list[int]:
        """The days that are sessions by themselves, the most recent ones."""
        rule, lists = feature.sessions, self._parts.get(feature.columns[0], [])
        kept = [at for at in self.window(feature.length) if at != _GAP and len(lists[at]) >= rule["least"]]
        kept = kept[-rule["most"] :]
        return kept + [_GAP] * (rule["most"] - len(kept))


def last_year(feature: Feature, days: Sequence[Sequence[Any]]) -> NDArray[Any]:
    """Last year's window, ``[1, days, values]``."""
    ids = [_ruled(feature, each) for each in days]
    wide = width_of(max(map(len, ids), default=0), feature.values)
    return padded(feature.ids, ids, wide)[None]


def widened(kind: str, windows: NDArray[Any], width: int) -> NDArray[Any]:
    """With padding at the end of the last axis."""
    lacking = width - windows.shape[-1]
    more = padded(kind, [[]] * windows[..., 0].size, lacking).reshape(*windows.shape[:-1], lacking)
    return np.concatenate([windows, more], axis=-1)


def _ruled(feature: Feature, ids: Sequence[Any]) -> Sequence[Any]:
    """What the feature's rule makes of ids; those of which it makes none are left out."""
    if feature.digits is None:  # what other rules make is what the part holds
        return ids
    return [each for each in made(feature, ids) if each != MISSING[feature.ids]]
