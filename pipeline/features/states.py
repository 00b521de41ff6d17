"""The feature state as a process keeps it from day to day, and last year's histories out of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import FIRST
from pipeline.context import JobContext
from pipeline.features.from_tables import ranks
from pipeline.features.last_year import last_year_days, last_year_windows, own_first
from pipeline.features.mapping import Maps, group_indices
from pipeline.features.packing import fingerprint
from pipeline.features.plan import Plan
from pipeline.features.request_histories import LastYear
from pipeline.features.rows import DayRows
from pipeline.features.state_store import StateStore
from pipeline.idmap import IdMap


def states_of(context: JobContext, purpose: str = "days") -> StateStore:
    """The state store of this process; one a purpose, as each keeps the state of the day it was last asked for."""
    stores: dict[str, StateStore] = context.memory.setdefault("feature states", {})
    if purpose not in stores:
        stores[purpose] = StateStore(context.store, context.config)
    return stores[purpose]


def key_ranks(context: JobContext, id_map: IdMap) -> NDArray[np.int64]:
    """The place of each index of a map in the order of raw ids, ``[size]``; kept until the map grows."""
    known: dict[str, tuple[int, NDArray[Any]]] = context.memory.setdefault("ranks of raw ids", {})
    if id_map.space not in known or known[id_map.space][0] != id_map.size:
        place = np.zeros(id_map.size, np.int64)
        place[FIRST:] = ranks(id_map.ids)
        known[id_map.space] = (id_map.size, place)
    return known[id_map.space][1]


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
