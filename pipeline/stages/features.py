"""The two stages of features, each with what it needs of the stages before it: they read committed artefacts only."""

from __future__ import annotations

from pipeline.days import Day
from pipeline.errors import PrunedPayload
from pipeline.features.build_features import build_day
from pipeline.features.rows import joined
from pipeline.features.state.day_order import days_before
from pipeline.features.update_id_maps import grow, guard_growth
from pipeline.ingest.day_tables import DayTables
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref, parse_id
from pipeline.storage.artifacts.kinds import FEATURES, MAPS, ROWS


def update_id_maps(context: JobContext, day: Day, *, reprocess: bool = False) -> Artifact | None:
    """Grow to the end of ``day``; the days of the one pass before it that are not mapped yet are read first."""
    guard_growth(context, day, reprocess=reprocess)
    for each in days_before(context, day):
        if extract(context, each).manifest.state != "skipped":
            validate(context, each)
    return grow(context, day, reprocess=reprocess)


def build_features(context: JobContext, day: Day, *, reprocess: bool = False) -> Artifact:
    """Build the day's arrays; rows that were pruned since, or that the day was mapped without, are joined first."""
    rows, mapped = (context.store.current(Ref(kind, context.job, day)) for kind in (ROWS, MAPS))
    if rows is None and mapped is not None:
        tables, built = DayTables.needed(context, day), context.store.current(Ref(FEATURES, context.job, day))
        if tables.artifact.manifest.pruned and built is not None and not reprocess:
            return built  # of a version that kept no rows: tables go only while what is made of them stands
        joined.join(context, tables, day)
    try:
        return build_day(context, day, reprocess=reprocess)
    except PrunedPayload as needed:
        if parse_id(needed.artifact)[0].kind != ROWS:
            raise
        joined.join(context, DayTables.needed(context, day), day)
        return build_day(context, day, reprocess=reprocess)
