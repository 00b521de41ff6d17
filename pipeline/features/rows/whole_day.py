"""A day's rows by the kind of job, with those of last year that are replayed beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.days import Day
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.candidate_table import Listed, listed
from pipeline.features.rows.day import DayRows
from pipeline.features.rows.homework import base_ids, ranking_rows
from pipeline.features.rows.impressions import impression_rows
from pipeline.features.rows.replay import days_to_replay, replay_rows
from pipeline.ingest.day_tables import DayTables
from pipeline.job import JobContext


@dataclass(frozen=True)
class Replayed:
    """Rows of an earlier day that are trained again, and the candidates of that day."""

    rows: DayRows
    listed: Listed | None


@dataclass(frozen=True)
class WholeDay:
    """All rows of a day.

    Attributes:
        listed: packages of the candidate table, where candidates come from it.
        replayed: by day, ascending; days without validated tables or matching rows are left out.
        missing: days that would have been replayed, and why they are not.
    """

    rows: DayRows
    listed: Listed | None
    replayed: tuple[Replayed, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)


def replays(plan: Plan) -> bool:
    """Whether any experiment trains last year's rows."""
    return any(experiment.replay != "off" for experiment in plan.config.experiments.values())


def day_rows(plan: Plan, context: JobContext, tables: DayTables, day: Day, *, replay: bool) -> WholeDay:
    """The day's rows; with ``replay`` also those of last year that are trained beside them."""
    if not plan.ranking:
        return WholeDay(impression_rows(plan, tables, day), None)
    rows = ranking_rows(plan, tables, day)
    here = _listed(plan, context, tables, tables)
    settings = plan.config.replay
    if not replay or settings is None or not replays(plan):
        return WholeDay(rows, here)
    replayed: list[Replayed] = []
    missing: dict[str, str] = {}
    for past in days_to_replay(settings, day):
        past_tables = DayTables.on(context, past)
        if past_tables is None:
            missing[str(past)] = context.skipped(past) or "not validated"
            continue
        found = replay_rows(plan, rows, tables, past_tables, past)
        if found.requests.rows:
            replayed.append(Replayed(found, _listed(plan, context, past_tables, tables)))
        else:
            missing[str(past)] = "no row matches"
    return WholeDay(rows, here, tuple(replayed), missing)


class _Known(dict[tuple[str, str], Listed]):
    """Candidate tables that were parsed lately, by the digests of what they are made of."""


def _listed(plan: Plan, context: JobContext, tables: DayTables, base_tables: DayTables) -> Listed | None:
    """The candidate table of a day with the base ids of another (or the same); parsed once while it does not change."""
    ranking = plan.config.ranking
    if ranking is None or ranking.candidates.table is None:
        return None
    base = ranking.base_chapters
    key = (tables.digest(ranking.candidates.table), base_tables.digest(base.table) if base is not None else "")
    known = context.kept(_Known, _Known)
    if key not in known:
        while len(known) > 3:
            known.pop(next(iter(known)))
        known[key] = listed(plan, tables(ranking.candidates.table), base_ids(plan, base_tables))
    return known[key]
