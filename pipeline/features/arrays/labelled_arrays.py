"""The arrays of labelled rows: each is a request with one candidate, of which nothing is known but the row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.days import Day
from pipeline.features.arrays.items import DayItems
from pipeline.features.arrays.labelled_growth import no_item
from pipeline.features.arrays.look_up import LookUp
from pipeline.features.arrays.pool import Pool
from pipeline.features.arrays.request import RequestArrays
from pipeline.features.arrays.request_histories import Histories, LastYear
from pipeline.features.frames.frame import Array
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.labelled import LabelledPlan
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows, flat
from pipeline.features.state.state import FeatureState


class LabelledArrays(RequestArrays[DayRows]):
    """The arrays of a job of labelled rows."""

    def __init__(self, plan: Plan, request: LabelledPlan) -> None:
        super().__init__(plan)
        self._group = request.settings.group

    def items(self, rows: DayRows, look: LookUp, pool: Pool | None) -> DayItems:
        one = np.zeros(1, np.int64)
        offsets = np.arange(rows.requests.rows + 1, dtype=np.int64)
        return DayItems(offsets, rows.event_item.astype(np.int32), one, one, rows.labels, frame=rows.items)

    def histories(self, rows: DayRows, look: LookUp, state: FeatureState, last_year: LastYear) -> Histories:
        return Histories(self.plan, rows, look, state, last_year)

    def item_values(self, items: DayItems, look: LookUp, day: Day) -> Mapping[str, Array]:
        return {}

    def item_codes(self, planned: PlannedFeature, items: DayItems, look: LookUp) -> Codes:
        raise no_item(planned)

    def user(self, rows: DayRows, look: LookUp) -> Array:
        """The place of each row's group among the day's; without groups each row is its own."""
        return self.users(np.arange(rows.requests.rows, dtype=np.int32), self._keys(rows))

    def users(self, of_parts: Array, keys: Mapping[str, Array]) -> Array:
        if self._group is None:
            return np.arange(len(of_parts), dtype=np.int32)
        return np.unique(keys[f"request.{self._group}"], return_inverse=True)[1].astype(np.int32)

    def keys(self, rows: DayRows, items: DayItems) -> dict[str, Array]:
        """The rows' groups; a row by itself is named by its place in canonical order alone."""
        return self._keys(rows)

    def _keys(self, rows: DayRows) -> dict[str, Array]:
        return {f"request.{self._group}": flat(rows.requests[f"row.{self._group}"])} if self._group else {}
