"""A day's rows, joined once and committed: growth maps their ids, and the features are built of them.

They are made of the validated day alone, so what is built of them names that day as what it was made from.
"""

from __future__ import annotations

from pipeline.days import Day
from pipeline.features.plan.plan import Plan
from pipeline.features.rows import rows_file
from pipeline.features.rows.kinds import rows_of
from pipeline.features.rows.whole_day import WholeDay
from pipeline.ingest.day_tables import DayTables
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import ROWS
from pipeline.storage.artifacts.making import Recipe

_STAGE = "build_features"
"""Whose settings decide what the rows are: those of the maps, and which days are replayed."""


def standing_rows(context: JobContext, tables: DayTables, day: Day, *, reprocess: bool = False) -> Artifact | None:
    """The day's rows if they are committed and still hold; their payload may be pruned."""
    return context.standing(_recipe(context, tables, day), reprocess=reprocess)


def _recipe(context: JobContext, tables: DayTables, day: Day) -> Recipe:
    return Recipe(
        Ref(ROWS, context.job, day), [tables.artifact.as_input()], context.config.stage_settings(_STAGE)
    )  # fmt: skip


def join(context: JobContext, tables: DayTables, day: Day) -> WholeDay:
    """Join the day's rows and those replayed beside them, and commit them."""
    with context.making(*_recipe(context, tables, day), reprocess=True) as made:
        whole = rows_of(Plan.of(context)).whole(context, tables, day, replay=True)
        digest = rows_file.write(made.path, whole)
        made.commit(digest, rows=dict(whole.rows.counts), timings={"join": made.seconds})
    return whole


def read(rows: Artifact) -> WholeDay:
    """The committed rows of a day; raises ``PrunedPayload`` once they were removed."""
    return rows_file.read(rows.file(rows_file.FILE))
