"""The arrays of impressions: each is a request with the item that was shown as its one candidate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.schema import Side
from pipeline.days import Day
from pipeline.features.arrays.feature_codes import frame_codes
from pipeline.features.arrays.framed import framed
from pipeline.features.arrays.items import DayItems
from pipeline.features.arrays.look_up import LookUp
from pipeline.features.arrays.pool import Pool
from pipeline.features.arrays.raw_values import as_raw, missing_of
from pipeline.features.arrays.request import UserArrays
from pipeline.features.arrays.request_histories import Histories, LastYear
from pipeline.features.frames.frame import Array, Frame
from pipeline.features.frames.from_arrow import column_of
from pipeline.features.ids.fingerprints import Codes, codes_of
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.impressions import ImpressionPlan
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows, Tables, flat
from pipeline.features.rows.impressions import item_frame
from pipeline.features.state.state import FeatureState


class ImpressionArrays(UserArrays[DayRows]):
    """The arrays of a job of impressions."""

    def __init__(self, plan: Plan, request: ImpressionPlan) -> None:
        super().__init__(plan)
        self._request = request

    @property
    def user_column(self) -> str:
        return self._request.settings.user

    def items(self, rows: DayRows, look: LookUp, pool: Pool | None) -> DayItems:
        raw = as_raw(self.raw_items(rows.items), self._kind, "items")
        shown = rows.event_item.astype(np.int32)
        # A day's impressions are a request each; whoever asks for several items at once asks one request of them.
        offsets = np.linspace(0, len(shown), rows.requests.rows + 1).astype(np.int64)
        return DayItems(offsets, shown, codes_of(raw), raw, rows.labels, frame=rows.items)

    def histories(self, rows: DayRows, look: LookUp, state: FeatureState, last_year: LastYear) -> Histories:
        return Histories(self.plan, rows, look, state, last_year)

    def item_values(self, items: DayItems, look: LookUp, day: Day) -> Mapping[str, Array]:
        return framed(self.plan, Side.ITEM, items.frame, look, day)

    def every_item(self, tables: Tables) -> Frame | None:
        settings = self._request.settings
        if settings.items is None:
            return None
        keys = as_raw(flat(column_of(tables(settings.items.table), settings.items.key)), self._kind, "items")
        known = np.unique(keys[np.asarray(keys != missing_of(self._kind), bool)])
        return item_frame(settings, self._request.item_columns, tables, known)

    def raw_items(self, items: Frame) -> Array:
        return flat(items[f"item.{self._request.settings.item}"])

    @property
    def _kind(self) -> str:
        return self.plan.space_kind(self._request.item_space)

    def item_codes(self, planned: PlannedFeature, items: DayItems, look: LookUp) -> Codes:
        return frame_codes(self.plan, planned, items.frame)
