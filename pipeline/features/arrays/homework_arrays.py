"""The arrays of homework: requests with the packages that may be set in their chapters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.schema import Kind
from pipeline.days import Day
from pipeline.features.arrays.feature_codes import column_codes, first_code
from pipeline.features.arrays.homework_histories import HomeworkHistories
from pipeline.features.arrays.homework_items import homework_items
from pipeline.features.arrays.items import DayItems
from pipeline.features.arrays.last_year_windows import last_year_of
from pipeline.features.arrays.look_up import Indices, LookUp
from pipeline.features.arrays.package_codes import package_codes, package_lists, raw_roles
from pipeline.features.arrays.pool import Pool, listed_pool, seen_pool
from pipeline.features.arrays.raw_values import bag_width, last_values
from pipeline.features.arrays.request import UserArrays
from pipeline.features.arrays.request_histories import Histories, LastYear
from pipeline.features.frames.frame import Array, Lists
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.candidate_table import Listed
from pipeline.features.rows.day import flat
from pipeline.features.rows.homework_day import HomeworkDay
from pipeline.features.state.state import FeatureState
from pipeline.job import JobContext


class HomeworkArrays(UserArrays[HomeworkDay]):
    """The arrays of a job whose requests are for homework."""

    def __init__(self, plan: Plan, request: HomeworkPlan) -> None:
        super().__init__(plan)
        self._request = request

    @property
    def user_column(self) -> str:
        return self._request.settings.user

    def pool(self, state: FeatureState, listed: Listed | None, look: LookUp) -> Pool:
        """Those of the candidate table, or those taken so far."""
        if listed is None:
            return seen_pool(self._request, state, look)
        return listed_pool(self.plan, self._request, listed)

    def last_year(self, context: JobContext, rows: HomeworkDay, look: Indices) -> LastYear:
        return last_year_of(context, self.plan, self._request, rows, look.maps)

    def items(self, rows: HomeworkDay, look: LookUp, pool: Pool | None) -> DayItems:
        return homework_items(self.plan, self._request, rows, look, pool)

    def histories(self, rows: HomeworkDay, look: LookUp, state: FeatureState, last_year: LastYear) -> Histories:
        return HomeworkHistories(self.plan, self._request, rows, look, state, last_year)

    def item_values(self, items: DayItems, look: LookUp, day: Day) -> Mapping[str, Array]:
        values: dict[str, Array] = {}
        for planned in self.plan.of_frame("item"):
            space, steps = planned.feature.space or "", planned.feature.steps
            if planned.column == "key":
                values[planned.name] = look.of_codes(space, items.key)
                continue
            lists = package_lists(self.plan, self._request, planned, items.roles, look)
            if planned.feature.kind is Kind.CATEGORICAL:
                values[planned.name] = lists.padded(1, look.unknown(space))[:, 0]
            elif planned.feature.kind is Kind.BAG:
                width = bag_width(int(lists.lengths.max(initial=0)), planned.feature.values)
                values[planned.name] = lists.padded(width, look.padding(space))
            else:
                values[planned.name] = last_values(lists, steps).padded(steps, look.padding(space))
        return values

    def item_codes(self, planned: PlannedFeature, items: DayItems, look: LookUp) -> Codes:
        if planned.column == "key":
            return items.key
        return first_code(package_codes(self.plan, self._request, planned, items.roles, look))

    def item_bags(self, planned: PlannedFeature, items: DayItems, look: LookUp) -> Lists:
        return package_codes(self.plan, self._request, planned, items.roles, look)

    def pair_values(
        self, planned: PlannedFeature, rows: HomeworkDay, items: DayItems, state: FeatureState
    ) -> NDArray[np.float32]:
        """Study values: how the owner masters the candidate's sections."""
        study, space = self._request.settings.study, self._request.study_owner_space
        if planned.frame != "study" or study is None or space is None:
            return super().pair_values(planned, rows, items, state)
        name = f"row.{study.owner}"
        owner = column_codes(self.plan, space, flat(rows.requests[name]), name)
        return state.latest.means(owner[items.request], items.roles["sections"].take(items.pair_item.astype(np.int64)))

    def keys(self, rows: HomeworkDay, items: DayItems) -> dict[str, Array]:
        chapters = rows.requests[f"row.{self._request.settings.package.chapters}"]
        if not isinstance(chapters, Lists):
            raise TypeError("the chapters of a request are lists")
        named = super().keys(rows, items)
        key = named.pop("item.key")
        return {**named, "request.chapters": chapters.values, "request.chapters.offsets": chapters.offsets,
                "item.key": key}  # fmt: skip

    def composed(self, planned: PlannedFeature, rows: HomeworkDay, items: DayItems, look: LookUp) -> Array:
        if planned.frame == "item":
            return raw_roles(self._request, planned.column, items.roles, look).values
        return super().composed(planned, rows, items, look)

    def counts(self, items: DayItems) -> dict[str, int]:
        return {"no_candidates": int((np.diff(items.offsets) == 0).sum())}
