"""What a day of impressions brings: items that were shown, and those that users took."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.features.arrays.feature_codes import column_codes, frame_codes, list_codes, owner_codes
from pipeline.features.arrays.growth import RequestGrowth
from pipeline.features.arrays.negatives import Shown, chances, one_each
from pipeline.features.arrays.raw_values import as_raw, bag_ids, frame_ids, without
from pipeline.features.frames.frame import Array, Lists
from pipeline.features.frames.from_arrow import lists_of
from pipeline.features.ids.fingerprints import MISSING, PADDING, Codes, are_known, key_of
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.impressions import ImpressionPlan
from pipeline.features.plan.levels import PART
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows, flat
from pipeline.features.rows.levels import level_of
from pipeline.features.state.events import TIMES, HistoryRows


class ImpressionGrowth(RequestGrowth[DayRows]):
    """Growth of jobs of impressions."""

    def __init__(self, plan: Plan, request: ImpressionPlan) -> None:
        super().__init__(plan)
        self._request = request

    def item_ids(self, planned: PlannedFeature, rows: DayRows) -> Array:
        return frame_ids(planned, rows.items, self.kind_of(planned))

    def history_ids(self, planned: PlannedFeature, rows: DayRows) -> Array:
        kind, own = self.kind_of(planned), self._request.row_parts.get(planned.column)
        if planned.column == PART and self._request.config.history.outcome:
            # All of them in their order, whatever the day brings: what came of its rows moves no index.
            return np.array([*self._request.config.history.outcome], object)
        if own is not None:
            return bag_ids(own, rows.events.take(self._kept(rows)), kind).values
        return as_raw(self._item_part(rows, planned.column).values, kind, f"feature '{planned.name}'")

    def item_codes(self, planned: PlannedFeature, rows: DayRows) -> Codes:
        return frame_codes(self.plan, planned, rows.items)

    def history(self, rows: DayRows) -> HistoryRows:
        """The items that users took, or all that they were shown."""
        kept = self._kept(rows)
        frame, items = rows.events.take(kept), rows.event_item[kept]
        levels = self._request.config.history.outcome
        parts = {}
        for part, space in self._request.history_parts.items():
            own = self._request.row_parts.get(part)
            if part == PART and levels:
                names = level_of(levels, frame)
                lists = Lists(np.arange(len(names) + 1), column_codes(self.plan, space, names, "history.outcome"))
                parts[part] = without(lists, MISSING)
                continue
            if own is not None:
                parts[part] = list_codes(bag_ids(own, frame, self.plan.space_kind(space)))
                continue
            lists = self._item_part(rows, part)
            parts[part] = Lists(lists.offsets, column_codes(self.plan, space, lists.values, f"item.{part}")).take(items)
        if self._request.time is not None:
            moments = flat(frame[f"row.{self._request.time}"]).astype(np.int64)
            parts[TIMES] = Lists(np.arange(len(moments) + 1, dtype=np.int64), moments)
        return HistoryRows(owner_codes(self.plan, frame), parts)

    def negatives(self, rows: DayRows) -> tuple[HistoryRows | None, Mapping[str, int]]:
        """Items of the day that no step of the user's is of, a row a step."""
        settings = self._request.negatives
        if settings is None:
            return None, {}
        owner_ids = owner_codes(self.plan, rows.events)
        owner, steps = key_of(*owner_ids), self._kept(rows)
        name = f"item.{self._request.settings.item}"
        items = column_codes(self.plan, self._request.item_space, flat(rows.items[name]), name)
        # Places in the order of the items' ids, so that what is drawn does not hang on the order of rows.
        by_id = np.argsort(items, kind="stable")
        place_of = np.empty(len(items), np.int64)
        place_of[by_id] = np.arange(len(items))
        shown = Shown(owner, place_of[rows.event_item], steps, are_known(items[by_id]))
        chance = chances(self.plan.config.job, rows.day, owner[steps], settings.count)
        places, counts = shown.drawn(settings, chance)
        parts = {}
        for part in self._request.negative_parts:
            lists = self._item_part(rows, part)
            codes = column_codes(self.plan, self._request.history_parts[part], lists.values, f"item.{part}")
            first = np.append(Lists(lists.offsets, codes).padded(1, PADDING)[by_id, 0], PADDING)
            parts[part] = one_each(first[places])
        return HistoryRows(tuple(each[steps] for each in owner_ids), parts), counts

    def catalogue(self, rows: DayRows) -> tuple[Codes, dict[str, Lists]]:
        """Items that were shown."""
        name = f"item.{self._request.settings.item}"
        return column_codes(self.plan, self._request.item_space, flat(rows.items[name]), name)[rows.event_item], {}

    def _item_part(self, rows: DayRows, part: str) -> Lists:
        """The column of the items that a part of histories keeps."""
        return lists_of(rows.items[f"item.{self._request.settings.item if part == 'items' else part}"])

    def _kept(self, rows: DayRows) -> NDArray[np.int64]:
        """The rows that become history."""
        every = self._request.config.history.of == "all"
        return np.arange(rows.events.rows) if every else np.flatnonzero(rows.label == 1)
