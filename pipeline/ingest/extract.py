"""Extraction: a day of every table as the sources have it, committed as a whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar

from pipeline.days import Day
from pipeline.errors import DataError, SourceError, SourceInterrupted
from pipeline.ingest.blocks import block_of
from pipeline.ingest.read_tables import DayDraft, keep, read_dated, read_undated
from pipeline.ingest.readiness import day_state
from pipeline.ingest.records import ExtractRecord
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import DAY, EXTRACT
from pipeline.storage.artifacts.making import Making
from pipeline.storage.artifacts.withdraw import withdraw_day
from pipeline.storage.digests import content_digest
from pipeline.storage.files import disk_errors

T = TypeVar("T")

Judge = Callable[[Mapping[str, int]], None]
"""Looks at the rows of each table before they are committed, and raises where they must not be."""

_ATTEMPTS = 3
_PAUSE = 3.0
"""Seconds before the second attempt; twice as long before the third."""
_BLOCK_TIMEOUT = 3600.0
"""Seconds to wait for another process that reads a block of days, probably this day among them."""


def extract(context: JobContext, day: Day, *, reprocess: bool = False) -> Artifact:
    """The day's rows of every declared table, committed; or the day's ``skipped`` marker, with the reason.

    What is committed is final, a skip too: the sources are only looked at again with ``reprocess``. Where finding a day
    costs a pass over the table, the pass also commits the other days of its block (``block_of``).

    Raises:
        SourceError: a table or required column is not there, the source broke off more than twice, the day is not
            ready yet, or only some of its required tables have rows.
        UsageError: the day is in the future.
    """
    if not reprocess:
        done = _committed(context, day)
        if done is not None:
            return done
    with _one_reader(context, day):
        # Another process may have committed the day while this one waited.
        done = None if reprocess else _committed(context, day)
        return done if done is not None else _look(context, day, reprocess)


def _committed(context: JobContext, day: Day) -> Artifact | None:
    marker = context.skip_marker(day)
    if marker is not None:
        return marker
    committed = context.store.current(Ref(EXTRACT, context.job, day))
    return _done(context, day, committed) if committed is not None else None


def _one_reader(context: JobContext, day: Day) -> AbstractContextManager[None]:
    """One process reads a day; where a pass reads a block of days, one process reads at all."""
    if context.source().reads_blocks:
        return context.lock(EXTRACT, timeout=_BLOCK_TIMEOUT)
    return context.day_lock(EXTRACT, day)


def _look(context: JobContext, day: Day, reprocess: bool) -> Artifact:
    found = _persistently(lambda: day_state(context, day))
    if found.state in ("empty", "dirty"):
        return _skip(context, day, found.reason)
    if found.state != "ready":
        raise SourceError(f"{context.job} {day}: {found.reason}")
    days = [day] if reprocess else block_of(context, day, EXTRACT)
    return _persistently(lambda: _read(context, day, days))


def read_again(context: JobContext, day: Day, judge: Judge) -> Artifact:
    """The dated rows of an extracted day as the sources have them now, as a new generation of its extract.

    Its undated tables stay as they were taken the first time: nothing that is known only now may reach the day. A table
    whose content is the same is linked, not copied.

    Args:
        judge: called with the rows of each table before anything is committed; what it raises keeps the first reading.

    Raises:
        DataError: the day is not extracted, or the sources do not have it any more.
        SourceError: a table or required column is not there, or the source broke off more than twice.
    """
    before = context.store.current(Ref(EXTRACT, context.job, day))
    if before is None:
        raise DataError(f"{context.job} {day}: was never extracted, so it cannot be read again")
    with _one_reader(context, day):
        found = _persistently(lambda: day_state(context, day))
        if found.state != "ready":
            raise DataError(f"{context.job} {day}: cannot be read again, the first reading stands: {found.reason}")
        return _persistently(lambda: _read_again(context, day, before, judge))


def _persistently(read: Callable[[], T]) -> T:
    """Once more, and once more again, where the source breaks off."""
    for attempt in range(1, _ATTEMPTS):
        try:
            return read()
        except SourceInterrupted:
            time.sleep(_PAUSE * attempt)
    return read()


def _skip(context: JobContext, day: Day, reason: str) -> Artifact:
    marker = context.store.current(Ref(DAY, context.job, day))
    if marker is not None and marker.manifest.state == "skipped" and marker.manifest.reason == reason:
        return marker
    if marker is not None and marker.manifest.state != "skipped":
        # Before the marker: a process that dies between leaves a day that is not done, never one that is both.
        withdraw_day(context.store, context.job, day)
    digest = content_digest({"state": "skipped"})
    with context.store.draft(Ref(DAY, context.job, day)) as draft:
        return draft.commit(key=digest, digest=digest, inputs=[], state="skipped", reason=reason)


def _done(context: JobContext, day: Day, extracted: Artifact) -> Artifact:
    """Records that the day has data, once its extract is there; returns the extract."""
    marker = context.store.current(Ref(DAY, context.job, day))
    if marker is None or marker.manifest.state != "done":
        digest = content_digest({"state": "done"})
        with context.store.draft(Ref(DAY, context.job, day)) as draft:
            draft.commit(key=digest, digest=digest, inputs=[])
    return extracted


def _read(context: JobContext, day: Day, days: list[Day]) -> Artifact:
    """Reads the days into drafts of their own and commits those that are whole; ``day`` itself must be."""
    config, source = context.config, context.source()
    before = _kept_nearby(context, day, days[0])
    with ExitStack() as stack:
        drafts = [DayDraft(each, stack.enter_context(_making(context, each))) for each in days]
        here = drafts[days.index(day)]
        stack.enter_context(disk_errors(here.made.path))
        with source.consistent():
            # Dated tables first: their rows name the keys by which others may be read.
            for name in (name for name, table in config.tables.items() if table.dated):
                read_dated(source, config, name, drafts)
                if here.refused:
                    raise SourceError(here.refused)
            whole = [each for each in drafts if each is here or _is_whole(context, each)]
            for name in (name for name, table in config.tables.items() if not table.dated):
                read_undated(source, config, name, whole, before)
        done = {each.day: _done(context, each.day, _commit(context, each)) for each in whole}
    return done[day]


def _kept_nearby(context: JobContext, day: Day, first: Day) -> Artifact | None:
    """The day's extract, else that of the newest day before ``first``, else of the oldest after: one that is kept."""
    store, job = context.store, context.job
    own = store.current(Ref(EXTRACT, job, day))
    if own is None or own.manifest.pruned:
        known = store.days(EXTRACT, job)
        nearest = [*reversed([each for each in known if each < first]), *(each for each in known if each > day)]
        found = (store.current(Ref(EXTRACT, job, each)) for each in nearest)
        own = next((each for each in found if each is not None and not each.manifest.pruned), None)
    return own


def _read_again(context: JobContext, day: Day, before: Artifact, judge: Judge) -> Artifact:
    config, source = context.config, context.source()
    with _making(context, day) as made, disk_errors(made.path), source.consistent():
        here, read = DayDraft(day, made), ExtractRecord.of(before)
        for name in (name for name, table in config.tables.items() if table.dated):
            read_dated(source, config, name, [here])
            if here.refused:
                raise SourceError(here.refused)
            if here.digests[name] == read.digests.get(name):
                keep(name, here, before)
        for name in (name for name, table in config.tables.items() if not table.dated):
            if not keep(name, here, before):
                read_undated(source, config, name, [here], before)
        judge(here.rows)
        return _commit(context, here)


def _is_whole(context: JobContext, each: DayDraft) -> bool:
    """Whether a day that was read along can be committed; one that cannot is judged in its own turn."""
    required = [name for name, table in context.config.tables.items() if table.dated and table.required]
    return not each.refused and all(each.rows[name] for name in required)


def _making(context: JobContext, day: Day) -> AbstractContextManager[Making]:
    """A new extract: whether there is something to read was decided before."""
    settings = context.config.stage_settings("extract")
    return context.making(Ref(EXTRACT, context.job, day), [], settings, reprocess=True)


def _commit(context: JobContext, each: DayDraft) -> Artifact:
    config = context.config
    return each.made.commit(
        content_digest(each.digests), rows=each.rows, timings=each.seconds,
        extra=ExtractRecord(
            url=context.source().url, read_at=each.began,
            sources={name: table.source_on(each.day) for name, table in config.tables.items()},
            digests=each.digests, missing_columns=each.missing, unread_columns=each.unread, as_of=each.as_of,
            versions=each.versions, linked=each.linked, notes=each.notes,
        ).written(),
    )  # fmt: skip
