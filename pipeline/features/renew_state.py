"""The feature state of days that an earlier version has stored, brought into today's form from their tables."""

from __future__ import annotations

import sys

from pipeline.errors import ChainError
from pipeline.features.arrays.day_events import events_of
from pipeline.features.ids.store import IdMapStore
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.kinds import rows_of
from pipeline.features.state.day_order import GROWTH, made_of, state_before
from pipeline.features.state.in_memory import states_of
from pipeline.features.state.store import state_before_of
from pipeline.ingest.day_tables import DayTables
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.storage.artifacts.making import key_of


def renew_states(context: JobContext) -> None:
    """Store every day's state as this version reads it; what was trained of it stays as it is.

    A day whose tables, or whose state before, are others than it was made of is stored as what it is now: another
    state, so that what was made of the one before is to be made again.

    Raises:
        ChainError: the tables of such a day are gone.
        DataError: two ids that the earlier version told apart have one fingerprint.
    """
    states, plan = states_of(context), Plan.of(context)
    outdated = states.outdated()
    if not outdated:
        return
    print(
        f"{context.job}: the feature state of {len(outdated)} days is of an earlier version; it is brought into "
        "today's form, once",
        file=sys.stderr,
    )
    for space, kind in plan.spaces.items():
        _ = IdMapStore.of(context).read(space, kind).codes
    for each in outdated:
        day, tables = each.ref.day, _tables(context, each)
        events = events_of(plan, rows_of(plan).whole(context, tables, day, replay=False).rows)
        before = state_before(context, day)
        unchanged = tables.artifact.manifest.digest in {made.digest for made in each.manifest.inputs}
        if unchanged and state_before_of(each) == (before.manifest.digest if before is not None else ""):
            states.renew(each, events)
        else:
            key = key_of(made_of(context, day, tables), context.config.stage_settings(GROWTH))
            states.commit(day, events, key=key, inputs=[tables.artifact.as_input()])


def _tables(context: JobContext, outdated: Artifact) -> DayTables:
    day = outdated.ref.day
    tables = DayTables.on(context, day)
    if tables is not None and not tables.artifact.manifest.pruned:
        return tables
    command = f"--job {context.job} --day {day} --reprocess"
    raise ChainError(
        f"{context.job} {day}: the feature state is of an earlier version, and the validated tables of this day are "
        f"gone; run `python -m pipeline stage extract {command}` and `python -m pipeline stage validate {command}`"
    )
