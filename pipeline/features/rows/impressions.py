"""From a day's validated tables to the impressions of an ads job: each is a request with one candidate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.config.impressions import Impressions
from pipeline.days import Day
from pipeline.features.frames.frame import Array, Column, Frame
from pipeline.features.frames.from_arrow import Places, column_of, first_rows
from pipeline.features.plan.impressions import ImpressionPlan
from pipeline.features.rows.day import DayRows, Tables, flat
from pipeline.features.rows.profiles import Profiles
from pipeline.features.rows.task_labels import labelled
from pipeline.features.rows.whole_day import RequestRows, WholeDay
from pipeline.ingest.day_tables import DayTables
from pipeline.job import JobContext


class ImpressionRows(RequestRows):
    """Rows of the days of a job of impressions: there are no candidates to list, and none is trained again."""

    def __init__(self, plan: ImpressionPlan) -> None:
        self._plan = plan
        # What could have stood in a step is drawn of all that was shown.
        self.parted = plan.settings.rows if plan.negatives is None else None

    def whole(self, context: JobContext, tables: DayTables, day: Day, *, replay: bool) -> WholeDay:
        return WholeDay(impression_rows(self._plan, tables, day), None)

    def item_keys(self, rows: DayRows) -> Array:
        return flat(rows.items[f"item.{self._plan.settings.item}"])


def impression_rows(plan: ImpressionPlan, tables: Tables, day: Day) -> DayRows:
    """The day's impressions with the profiles of their users and items; what has no profile has missing values."""
    settings = plan.settings
    found = labelled(tables(settings.rows), settings.label, plan.config.tasks)
    table, label = found.table, found.label
    columns: dict[str, Column] = {f"row.{name}": column_of(table, name) for name in plan.row_columns}
    users = plan.user_columns
    if settings.profile is not None and users:
        profiles = Profiles(tables(settings.profile.table), settings.profile.key, users)
        columns |= profiles.join(flat(columns[f"row.{settings.user}"]), "user")
    columns["calendar.weekday"] = np.full(table.num_rows, day.weekday, np.int64)
    events = Frame(table.num_rows, columns)
    keys, event_item = _distinct_in_order(flat(column_of(table, settings.item)))
    items = item_frame(settings, plan.item_columns, tables, keys)
    return DayRows(
        day=day, events=events, label=label, items=items, event_item=event_item,
        requests=events, weight=np.ones(table.num_rows, np.float32),
        counts={
            "rows": table.num_rows, "requests": table.num_rows, "positives": int((label == 1).sum()), **found.left_out
        },
        further=found.further,
    )  # fmt: skip


def item_frame(settings: Impressions, names: Sequence[str], tables: Tables, keys: Array) -> Frame:
    """The columns ``item.*`` of the items of ``keys``: ``names`` of the items' table, and the key."""
    columns: dict[str, Column] = {}
    if settings.items is not None and names:
        columns |= Profiles(tables(settings.items.table), settings.items.key, names).join(keys, "item")
    columns[f"item.{settings.item}"] = keys
    return Frame(len(keys), columns)


def _distinct_in_order(keys: Array) -> tuple[Array, NDArray[np.int64]]:
    """The distinct keys in order of first appearance, and each row's place among them."""
    distinct = keys[first_rows(keys)]
    return distinct, Places(distinct)(keys)
