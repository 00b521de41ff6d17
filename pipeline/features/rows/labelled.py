"""From a day's validated table to its labelled rows: each is a request by itself, and there is no item beside it."""

from __future__ import annotations

import numpy as np

from pipeline.days import Day
from pipeline.features.frames.frame import Array, Column, Frame
from pipeline.features.frames.from_arrow import column_of
from pipeline.features.plan.labelled import LabelledPlan
from pipeline.features.rows.day import DayRows, Tables
from pipeline.features.rows.task_labels import labelled
from pipeline.features.rows.whole_day import RequestRows, WholeDay
from pipeline.ingest.day_tables import DayTables
from pipeline.job import JobContext


class LabelledDays(RequestRows):
    """Rows of the days of a job of labelled rows."""

    def __init__(self, plan: LabelledPlan) -> None:
        self._plan = plan
        self.parted = plan.settings.rows

    def whole(self, context: JobContext, tables: DayTables, day: Day, *, replay: bool) -> WholeDay:
        return WholeDay(labelled_rows(self._plan, tables, day), None)

    def item_keys(self, rows: DayRows) -> Array:
        return np.zeros(1, np.int64)


def labelled_rows(plan: LabelledPlan, tables: Tables, day: Day) -> DayRows:
    """The day's rows. All of them are of one item, which has no columns."""
    found = labelled(tables(plan.settings.rows), plan.settings.label, plan.config.tasks)
    table, label = found.table, found.label
    columns: dict[str, Column] = {f"row.{name}": column_of(table, name) for name in plan.row_columns}
    columns["calendar.weekday"] = np.full(table.num_rows, day.weekday, np.int64)
    rows = Frame(table.num_rows, columns)
    return DayRows(
        day=day, events=rows, label=label, items=Frame(1, {}), event_item=np.zeros(table.num_rows, np.int64),
        requests=rows, weight=np.ones(table.num_rows, np.float32),
        counts={"rows": table.num_rows, "positives": int((label == 1).sum()), **found.left_out}, further=found.further,
    )  # fmt: skip
