"""A day's rows, joined once and committed: growth maps their ids, and the features are built of them.

They are made of the validated day alone, so what is built of them names that day as what it was made from.
"""

from __future__ import annotations

import time

from pipeline.days import Day
from pipeline.features.plan.plan import Plan
from pipeline.features.rows import rows_file
from pipeline.features.rows.kinds import rows_of
from pipeline.features.rows.whole_day import WholeDay
from pipeline.ingest.day_tables import DayTables
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import ROWS
from pipeline.storage.artifacts.making import key_of, standing

_STAGE = "build_features"
"""Whose settings decide what the rows are: those of the maps, and which days are replayed."""


def standing_rows(context: JobContext, tables: DayTables, day: Day, *, reprocess: bool = False) -> Artifact | None:
    """The day's rows if they are committed and still hold; their payload may be pruned."""
    config = context.config
    return standing(
        context.store, config.experiments, Ref(ROWS, config.job, day), [tables.artifact.as_input()],
        config.stage_settings(_STAGE), reprocess=reprocess,
    )  # fmt: skip


def join(context: JobContext, tables: DayTables, day: Day) -> WholeDay:
    """Join the day's rows and those replayed beside them, and commit them."""
    began = time.perf_counter()
    whole = rows_of(Plan.of(context)).whole(context, tables, day, replay=True)
    inputs, settings = [tables.artifact.as_input()], context.config.stage_settings(_STAGE)
    with context.store.draft(Ref(ROWS, context.job, day)) as draft:
        digest = rows_file.write(draft.path, whole)
        draft.commit(
            key=key_of(inputs, settings), digest=digest, inputs=inputs, settings=settings,
            rows=dict(whole.rows.counts), timings={"join": time.perf_counter() - began},
        )  # fmt: skip
    return whole


def read(rows: Artifact) -> WholeDay:
    """The committed rows of a day; raises ``PrunedPayload`` once they were removed."""
    return rows_file.read(rows.file(rows_file.FILE))
