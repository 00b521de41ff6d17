"""Last year's windows of a day's requests."""

from __future__ import annotations

from typing import Literal

import numpy as np

from pipeline.features.arrays.last_year_codes import group_codes
from pipeline.features.arrays.look_up import Maps
from pipeline.features.arrays.request_histories import LastYear
from pipeline.features.ids.fingerprints import PADDING, Codes, are_known, key_of
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows
from pipeline.features.state.in_memory import ranks_of, states_of
from pipeline.features.state.last_year import last_year_days, last_year_windows, own_first
from pipeline.job import JobContext


def last_year_of(context: JobContext, plan: Plan, request: HomeworkPlan, rows: DayRows, maps: Maps) -> LastYear:
    """Last year's windows of each request's group; none for requests of which a matched column is not known."""
    settings = plan.config.history.last_year
    parts = {f.column for f in plan.of_frame("last_year")}
    if settings is None or not parts:
        return {}
    store = states_of(context)
    slots = [
        [found for each in days if (found := store.history_rows(each)) is not None]
        for days in last_year_days(rows.day, plan.config.history.length, settings.years)
    ]
    places = {part: ranks_of(context, maps[request.history_parts[part]]) for part in sorted(parts)}

    def windows(columns: tuple[str, ...], by: Literal["groups", "own"]) -> dict[str, Codes]:
        codes = group_codes(plan, request, columns, rows.requests)
        wanted, row = np.unique(key_of(*codes), return_inverse=True)
        found = last_year_windows(slots, wanted, places, values=settings.values, by=by)
        known = are_known(*codes)[:, None, None]
        return {part: np.where(known, each[row], PADDING) for part, each in found.items()}

    group = windows(request.group_columns, "groups")
    return own_first(windows(request.own_columns, "own"), group) if settings.own_class_first else group
