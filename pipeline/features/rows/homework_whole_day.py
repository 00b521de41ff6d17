"""A whole day of homework: its requests, the packages that may be set, and last year's rows beside them."""

from __future__ import annotations

from pipeline.days import Day
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.records import MapsRecord
from pipeline.features.rows.candidate_table import Listed, listed
from pipeline.features.rows.homework import base_ids, homework_rows
from pipeline.features.rows.replay import days_to_replay, replay_rows
from pipeline.features.rows.whole_day import Replayed, RequestRows, WholeDay
from pipeline.ingest.day_tables import DayTables
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import MAPS


class HomeworkRows(RequestRows):
    """Rows of the days of a job for homework."""

    def __init__(self, plan: HomeworkPlan) -> None:
        self._plan = plan

    def whole(self, context: JobContext, tables: DayTables, day: Day, *, replay: bool) -> WholeDay:
        plan, settings = self._plan, self._plan.config.replay
        rows = homework_rows(plan, tables, day)
        here = self._listed(context, tables, tables)
        if not replay or settings is None or all(each.replay == "off" for each in plan.config.experiments.values()):
            return WholeDay(rows, here)
        replayed: list[Replayed] = []
        missing: dict[str, str] = {}
        for past in days_to_replay(settings, day):
            past_tables = DayTables.on(context, past)
            if past_tables is None:
                missing[str(past)] = context.skipped(past) or "not validated"
                continue
            if past_tables.artifact.manifest.pruned and not _was_replayed(context, day, past):
                missing[str(past)] = "pruned"
                continue
            found = replay_rows(plan, settings, rows, tables, past_tables, past)
            if found.requests.rows:
                replayed.append(Replayed(found, self._listed(context, past_tables, tables)))
            else:
                missing[str(past)] = "no row matches"
        return WholeDay(rows, here, tuple(replayed), missing)

    def _listed(self, context: JobContext, tables: DayTables, base_tables: DayTables) -> Listed | None:
        """The candidate table of a day with the base ids of another (or the same); parsed once while it is the same."""
        settings = self._plan.settings
        if settings.candidates.table is None:
            return None
        base = settings.base_chapters
        key = (tables.digest(settings.candidates.table), base_tables.digest(base.table) if base is not None else "")
        known = context.kept(_Known, _Known)
        if key not in known:
            while len(known) > 3:
                known.pop(next(iter(known)))
            known[key] = listed(settings, tables(settings.candidates.table), base_ids(settings, base_tables))
        return known[key]


def _was_replayed(context: JobContext, day: Day, past: Day) -> bool:
    """Whether the day was made with rows of ``past`` before, so that it must not come out without them."""
    mapped = context.store.current(Ref(MAPS, context.job, day))
    return mapped is not None and str(past) in MapsRecord.of(mapped).replayed


class _Known(dict[tuple[str, str], Listed]):
    """Candidate tables that were parsed lately, by the digests of what they are made of."""
