"""The day's rows of the table of style counts."""

from __future__ import annotations

import numpy as np

from pipeline.features.frames.from_arrow import codes, column_of
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.rows.day import Tables, flat
from pipeline.features.rows.homework_day import StyleCountRows

_MOST = 2**31 - 1


def style_count_rows(plan: HomeworkPlan, tables: Tables) -> StyleCountRows | None:
    """The day's rows of the table that say of a style that it was set; several of one owner and style add up."""
    settings = plan.settings.style_counts
    if settings is None or plan.counted_space is None:
        return None
    table = tables(settings.table)
    count = flat(column_of(table, settings.count)).astype(np.int64)
    # Some tables have a row of 0 for each style that was not set, some have none: both say the same.
    there = np.flatnonzero(count > 0)
    columns = [flat(column_of(table, name))[there] for name in (*plan.owner_columns, settings.style)]
    if not len(there):
        return StyleCountRows(tuple(columns[:-1]), columns[-1], count[there])
    distinct, first, group = np.unique(codes(*columns), return_index=True, return_inverse=True)
    total = np.zeros(len(distinct), np.int64)
    # The state keeps 32 bits; a count beyond them is a wild value, which must not come back below zero.
    np.add.at(total, group, np.minimum(count[there], _MOST))
    total = np.minimum(total, _MOST)
    order = np.argsort(first, kind="stable")
    *owner, style = (column[first[order]] for column in columns)
    return StyleCountRows(tuple(owner), style, total[order])
