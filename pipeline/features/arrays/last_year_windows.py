"""Last year's windows of a day's requests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import FIRST
from pipeline.features.arrays.indices import Maps, group_indices
from pipeline.features.arrays.request_histories import LastYear
from pipeline.features.frames.packing import fingerprint
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows
from pipeline.features.state.kept import key_ranks, states_of
from pipeline.features.state.last_year import last_year_days, last_year_windows, own_first
from pipeline.job import JobContext


def last_year_of(context: JobContext, plan: Plan, rows: DayRows, maps: Maps) -> LastYear | None:
    """Last year's windows of each request's group; none for requests of which a matched column is not known."""
    settings = plan.config.history.last_year
    parts = {f.column for f in plan.of_frame("last_year")}
    if settings is None or not parts:
        return None
    store = states_of(context)
    slots = [
        [found for each in days if (found := store.history_rows(each)) is not None]
        for days in last_year_days(rows.day, plan.config.history.length, settings.years)
    ]
    places = {part: key_ranks(context, maps[plan.history_parts[part]]) for part in sorted(parts)}

    def windows(columns: tuple[str, ...], by: Any) -> dict[str, NDArray[np.int32]]:
        indices = group_indices(plan, columns, rows.requests, maps)
        known = np.all([each >= FIRST for each in indices], axis=0)
        wanted, row = np.unique(fingerprint(*indices), return_inverse=True)
        found = last_year_windows(slots, wanted, places, values=settings.values, by=by)
        return {part: np.where(known[:, None, None], each[row], 0).astype(np.int32) for part, each in found.items()}

    group = windows(plan.group_columns, "groups")
    return own_first(windows(plan.own_columns, "own"), group) if settings.own_class_first else group
