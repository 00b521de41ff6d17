"""Counters of a day and other values by request and candidate, from the state as of the end of the day before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.schema import Side
from pipeline.config.features import Counter
from pipeline.features.arrays.feature_codes import first_code, frame_codes, package_codes, study_owner
from pipeline.features.arrays.items import DayItems
from pipeline.features.arrays.look_up import LookUp
from pipeline.features.arrays.raw_values import dense_values
from pipeline.features.frames.frame import Array
from pipeline.features.ids.codes import Codes
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows
from pipeline.features.state.counters import Cells, counter_value, transformed
from pipeline.features.state.state import FeatureState


class _Keyed:
    """Codes of the features that counters are keyed by, each made once on its own side."""

    def __init__(self, plan: Plan, rows: DayRows, items: DayItems, look: LookUp) -> None:
        self._plan, self._rows, self._items, self._look = plan, rows, items, look
        self._found: dict[str, Codes] = {}
        self._request = np.repeat(np.arange(rows.requests.rows), np.diff(items.offsets))

    def on_item_side(self, name: str) -> bool:
        return self._plan.features[name].feature.side is Side.ITEM

    def own(self, name: str) -> Codes:
        """The codes on the feature's own side: one a request or one an item."""
        if name not in self._found:
            planned = self._plan.features[name]
            if not self.on_item_side(name):
                self._found[name] = frame_codes(self._plan, planned, self._rows.requests)
            elif not self._plan.ranking:
                self._found[name] = frame_codes(self._plan, planned, self._items.frame)
            elif planned.column == "key":
                self._found[name] = self._items.key
            else:
                self._found[name] = first_code(package_codes(self._plan, planned, self._items.roles, self._look))
        return self._found[name]

    def spread(self, name: str) -> Codes:
        """The code at every pair."""
        return self.own(name)[self._items.pair_item if self.on_item_side(name) else self._request]

    def of_pairs(self, values: Array, *, item_side: bool) -> Array:
        return values[self._items.pair_item if item_side else self._request]


def counter_values(plan: Plan, rows: DayRows, items: DayItems, look: LookUp, state: FeatureState) -> dict[str, Array]:
    """Every declared counter for the day, from the state as of the end of the day before."""
    keyed = _Keyed(plan, rows, items, look)
    cells: dict[tuple[tuple[str, ...], bool], Cells] = {}
    values: dict[str, Array] = {}
    for name, counter in plan.counters().items():
        pair = plan.features[name].feature.side is Side.PAIR
        if counter.measure == "rank":
            values[name] = places(counter, items.offsets)
            continue
        sides = {keyed.on_item_side(key) for key in counter.key}
        mixed = len(sides) > 1
        if (counter.key, mixed) not in cells:
            codes = [keyed.spread(key) if mixed else keyed.own(key) for key in counter.key]
            cells[counter.key, mixed] = state.counters[counter.key].lookup(*codes)
        value = counter_value(counter, cells[counter.key, mixed], state.overall, rows.day)
        values[name] = keyed.of_pairs(value, item_side=sides == {True}) if pair and not mixed else value
    return values


def places(counter: Counter, offsets: NDArray[np.int64]) -> NDArray[np.float32]:
    """The place of each candidate in its list, from 0."""
    places = np.arange(offsets[-1]) - np.repeat(offsets[:-1], np.diff(offsets))
    return transformed(counter, places.astype(np.float64))


def pair_values(plan: Plan, rows: DayRows, items: DayItems, state: FeatureState) -> dict[str, Array]:
    """Study values of each candidate for its request, and columns of an impression's own row."""
    values: dict[str, Array] = {}
    request = np.repeat(np.arange(rows.requests.rows), np.diff(items.offsets))
    for planned in plan.features.values():
        if planned.feature.side is not Side.PAIR or planned.settings.counter is not None:
            continue
        if planned.frame == "study":
            owner = study_owner(plan, rows.requests)[request]
            sections = items.roles["sections"].take(items.pair_item.astype(np.int64))
            values[planned.name] = state.latest.means(owner, sections)
        else:
            values[planned.name] = dense_values(planned, rows.requests, rows.day)[request]
    return values
