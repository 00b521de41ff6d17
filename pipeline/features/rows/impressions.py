"""From a day's validated tables to the impressions of an ads job: each is a request with one candidate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config.impressions import Impressions
from pipeline.days import Day
from pipeline.features.frames.frame import Array, Column, Frame
from pipeline.features.frames.from_arrow import Places, column_of, first_rows
from pipeline.features.plan.plan import Plan
from pipeline.features.plan.row_parts import ROW
from pipeline.features.rows.day import DayRows, flat
from pipeline.features.rows.profiles import Profiles


def impression_rows(plan: Plan, tables: Callable[[str], pa.Table], day: Day) -> DayRows:
    """The day's impressions with the profiles of their users and items; what has no profile has missing values."""
    settings = _settings(plan)
    table = tables(settings.rows)
    columns: dict[str, Column] = {f"row.{name}": column_of(table, name) for name in _row_columns(plan)}
    users = user_columns(plan)
    if settings.profile is not None and users:
        profiles = Profiles(tables(settings.profile.table), settings.profile.key, users)
        columns |= profiles.join(flat(columns[f"row.{settings.user}"]), "user")
    columns["calendar.weekday"] = np.full(table.num_rows, day.weekday, np.int64)
    events = Frame(table.num_rows, columns)
    label = flat(column_of(table, settings.label)).astype(np.int8)
    keys, event_item = _distinct_in_order(flat(column_of(table, settings.item)))
    return DayRows(
        day=day, events=events, label=label, items=item_frame(plan, tables, keys), event_item=event_item,
        requests=events, judged=None, weight=np.ones(table.num_rows, np.float32),
        counts={"rows": table.num_rows, "requests": table.num_rows, "positives": int((label == 1).sum())},
    )  # fmt: skip


def item_frame(plan: Plan, tables: Callable[[str], pa.Table], keys: Array) -> Frame:
    """The columns ``item.*`` of the items of ``keys``."""
    settings = _settings(plan)
    columns: dict[str, Column] = {}
    names = item_columns(plan)
    if settings.items is not None and names:
        columns |= Profiles(tables(settings.items.table), settings.items.key, names).join(keys, "item")
    columns[f"item.{settings.item}"] = keys
    return Frame(len(keys), columns)


def item_columns(plan: Plan) -> list[str]:
    """Columns of the items' table that features or histories use, besides the key."""
    settings = _settings(plan)
    names = [c for f in plan.of_frame("item") for _, c in f.columns]
    names += [part for part in settings.history_parts if not part.startswith(ROW)]
    return [name for name in dict.fromkeys(names) if name != settings.item]


def user_columns(plan: Plan) -> list[str]:
    settings = _settings(plan)
    names = [c for f in plan.of_frame("user") for _, c in f.columns]
    if settings.profile is not None and settings.profile.register_day is not None:
        names.append(settings.profile.register_day)
    return list(dict.fromkeys(names))


def _row_columns(plan: Plan) -> list[str]:
    names = [_settings(plan).user, *(c for f in plan.of_frame("row") for _, c in f.columns)]
    return list(dict.fromkeys([*names, *(part.column for part in plan.row_parts.values())]))


def _distinct_in_order(keys: Array) -> tuple[Array, NDArray[np.int64]]:
    """The distinct keys in order of first appearance, and each row's place among them."""
    distinct = keys[first_rows(keys)]
    return distinct, Places(distinct)(keys)


def _settings(plan: Plan) -> Impressions:
    assert plan.config.impressions is not None
    return plan.config.impressions
