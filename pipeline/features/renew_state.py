"""The feature state of days that an earlier version has stored, brought into today's form from their tables."""

from __future__ import annotations

import sys

from pipeline.errors import ChainError
from pipeline.features.arrays.day_events import events_of
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.kinds import rows_of
from pipeline.features.state.in_memory import states_of
from pipeline.ingest.day_tables import DayTables
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact


def renew_states(context: JobContext) -> None:
    """Store every day's state as this version reads it; what was trained of it stays as it is.

    Raises:
        ChainError: the tables that a day's state was made of are gone.
    """
    states, plan = states_of(context), Plan.of(context)
    outdated = states.outdated()
    if outdated:
        print(
            f"{context.job}: the feature state of {len(outdated)} days is of an earlier version; it is brought into "
            "today's form, once",
            file=sys.stderr,
        )
    for each in outdated:
        whole = rows_of(plan).whole(context, _tables(context, each), each.ref.day, replay=False)
        states.renew(each, events_of(plan, whole.rows))


def _tables(context: JobContext, outdated: Artifact) -> DayTables:
    day = outdated.ref.day
    tables = DayTables.on(context, day)
    made_of = {each.digest for each in outdated.manifest.inputs}
    if tables is not None and not tables.artifact.manifest.pruned and tables.artifact.manifest.digest in made_of:
        return tables
    raise ChainError(
        f"{context.job} {day}: the feature state is of an earlier version, and the validated tables that it was made "
        f"of are gone; run `python -m pipeline stage validate --job {context.job} --day {day} --reprocess`, and where "
        "the source does not give the same rows any more build the chain anew in another DAYSPRING_ROOT"
    )
