"""Whether a day can be read: ready, to be waited for, or without data."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from pipeline.config.tables import Table
from pipeline.days import Day
from pipeline.job import JobContext
from pipeline.sources.base import Source
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import EXTRACT
from pipeline.storage.files import write_atomic

State = Literal["ready", "waiting", "empty", "dirty", "incomplete"]


@dataclass(frozen=True)
class Readiness:
    """A day's state, and why.

    ``ready``: it can be read. ``waiting``: it may still come. ``empty`` and ``dirty``: it is skipped. ``incomplete``:
    only some of its required tables have rows, which fails the day. ``until``: the instant that is waited for at most.
    """

    state: State
    reason: str
    until: datetime | None = None


def day_state(context: JobContext, day: Day, now: datetime | None = None) -> Readiness:
    """The state of a job's day.

    A day is ready when each required dated table passes its ``ready:`` rule. The deadline is the end of the business
    day plus ``deadline_hours``; after it nothing is waited for, so past days never wait. With ``labels.until_then:
    hold`` no day is ready before its labels have matured.

    Args:
        now: the instant to judge by (aware); the clock's if not given.

    Raises:
        UsageError: the day is in the future.
        SourceError: a source cannot be read.
    """
    config, now = context.config, now or datetime.now(UTC)
    day.guard_begun(config.timezone, now)
    if config.is_dirty(day):
        return Readiness("dirty", f"{day} is listed in dirty_days")
    held = _held_until(context, day)
    if held is not None and now < held:
        return Readiness(
            "waiting",
            f"its labels mature at {held.isoformat(timespec='minutes')} (labels.until_then: hold, "
            f"{config.labels.delay_days if config.labels else 0} days)",
            held,
        )
    source, required = context.source(), _required(context)
    deadline = _deadline(context, day)
    if now < deadline:
        waits = lacking(context, day, now)
        if waits:
            return Readiness("waiting", f"{waits} (deadline {deadline.isoformat(timespec='minutes')})", deadline)
    filled = {name: source.has_rows(table.source_on(day), day) for name, table in required.items()}
    if all(filled.values()):
        return Readiness("ready", "every required table is ready" if now < deadline else "the deadline has passed")
    empty = ", ".join(f"{name} ({required[name].source_on(day)})" for name, here in filled.items() if not here)
    if not any(filled.values()):
        how = "marked ready, yet" if now < deadline else "after the deadline"
        return Readiness("empty", f"no rows in any required table, {how}: {empty}")
    return Readiness(
        "incomplete",
        f"required tables without rows of {day}: {empty}, while others have some ({source.url}); load them, list the "
        "day in dirty_days, or declare them `required: false`",
    )


def lacking(context: JobContext, day: Day, now: datetime | None = None) -> str:
    """What the ``ready:`` rules of the required tables miss of the day, deadline or not; empty where they all pass."""
    now = now or datetime.now(UTC)
    source = context.source()
    lacks = {name: _lacks(context, source, name, table, day, now) for name, table in _required(context).items()}
    return "; ".join(f"{name}: {why}" for name, why in lacks.items() if why is not None)


def is_settled(context: JobContext, day: Day, now: datetime) -> bool:
    """Whether nothing more of an ended day is waited for: its deadline has passed, or every required table is marked.

    Says nothing of rows, and costs next to nothing.
    """
    config, source = context.config, context.source()
    end, held = day.end(config.timezone), _held_until(context, day)
    if held is not None and now < held:
        return False
    if now >= _deadline(context, day):
        return True
    return now >= end and all(
        table.ready.marker and source.is_marked(table.source_on(day), day) for table in _required(context).values()
    )


def _deadline(context: JobContext, day: Day) -> datetime:
    """The instant from which on nothing of the day is waited for."""
    return day.end(context.config.timezone) + timedelta(hours=context.config.deadline_hours)


def _required(context: JobContext) -> dict[str, Table]:
    """The tables that a day needs rows of."""
    return {name: table for name, table in context.config.tables.items() if table.dated and table.required}


def _held_until(context: JobContext, day: Day) -> datetime | None:
    """When a job that holds its days lets ``day`` be read; ``None`` for one that does not hold them."""
    labels = context.config.labels
    return labels.mature_at(day, context.config.timezone) if labels is not None and labels.held_days else None


def _lacks(context: JobContext, source: Source, name: str, table: Table, day: Day, now: datetime) -> str | None:
    """Why a table is not ready yet; ``None`` if it is."""
    rule, wanted = table.ready, table.source_on(day)
    if rule.marker and source.is_marked(wanted, day):
        return None
    if rule.unchanged_minutes is None:
        return "not marked as complete" if rule.marker else "no `ready:` rule but the deadline"
    if now < day.end(context.config.timezone):
        return "the day is not over"
    rows = source.count(wanted, day)
    minutes = _unchanged(_seen_path(context, day), name, rows, now) / 60
    if rows == 0:
        return "no rows yet"
    if minutes < rule.unchanged_minutes:
        return f"{rows} rows, unchanged for {minutes:.0f} of {rule.unchanged_minutes} minutes"
    usual = _weekday_median(context, name, day)
    if usual is not None and rows < rule.weekday_share * usual:
        return f"{rows} rows, where the same weekday has {usual:.0f} (needs {rule.weekday_share:.0%})"
    return None


def _seen_path(context: JobContext, day: Day) -> Path:
    return context.root / "readiness" / context.job / f"{day}.json"


def _unchanged(path: Path, table: str, rows: int, now: datetime) -> float:
    """Seconds for which the table's row count has been ``rows``, by what earlier looks have recorded."""
    try:
        seen = json.loads(path.read_text(encoding="utf-8"))
        last = seen.get(table, {})
        since = datetime.fromisoformat(last["since"]) if last.get("rows") == rows else None
    except (FileNotFoundError, ValueError, AttributeError, KeyError, TypeError):
        seen, since = {}, None  # nothing but the time of waiting is lost with a damaged record
    if since is not None:
        return (now - since).total_seconds()
    path.parent.mkdir(parents=True, exist_ok=True)
    seen[table] = {"rows": rows, "since": now.isoformat()}
    write_atomic(path, json.dumps(seen).encode(), durable=False)
    return 0.0


def _weekday_median(context: JobContext, table: str, day: Day) -> float | None:
    """Median row count of the table on the same weekday of the weeks before."""
    counts = []
    for week in range(1, context.config.validation.weekdays + 1):
        extracted = context.store.current(Ref(EXTRACT, context.job, day.plus(-7 * week)))
        if extracted is not None and table in extracted.manifest.rows:
            counts.append(extracted.manifest.rows[table])
    return statistics.median(counts) if counts else None
