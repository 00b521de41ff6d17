"""Ids and feature state grow in day order: where they start, and which days come before another.

The days before the first one that is trained (``state_from``) are one pass: read, mapped and added, and not trained.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.days import Day
from pipeline.errors import ChainError, CorruptArtifact, UsageError
from pipeline.ingest.day_tables import DayTables
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import FEATURES, MAPS, STATE
from pipeline.storage.artifacts.manifest import Input
from pipeline.storage.files import write_atomic

GROWTH = "update_id_maps"
"""The stage that maps a day's ids and adds the day to the state."""


class _Settled(set[Day]):
    """Days that this process has seen mapped or skipped."""


def start_of(context: JobContext) -> Day | None:
    """The first day that was mapped, as recorded; ``None`` before that. Raises ``CorruptArtifact``."""
    try:
        return Day.parse(_recorded(context)["start"])
    except FileNotFoundError:
        return None


def settle_start(context: JobContext, day: Day) -> Day:
    """The state's first day: as recorded, else ``state_from``, else ``start``, else ``day``; recorded for good.

    Raises:
        ChainError: ``day`` is before it, or ``state_from`` is.
        UsageError: nothing is recorded yet, and ``day`` is before ``state_from``.
    """
    config = context.config
    recorded = start_of(context)
    wanted = config.state_from
    if recorded is None:
        recorded = wanted or min(config.start or day, day)
        if recorded > day:
            raise UsageError(f"{context.job}: {day} is before state_from {recorded}; begin with --from {recorded}")
        path = _record(context)
        path.parent.mkdir(parents=True, exist_ok=True)
        record = {"start": str(recorded), "in_one_pass": wanted is not None}
        write_atomic(path, json.dumps(record).encode() + b"\n")
    guard_start(context)
    if day < recorded:
        raise ChainError(
            f"{context.job}: day {day} is before the feature state's start {recorded}; build the chain anew in another "
            "DAYSPRING_ROOT with an earlier state_from"
        )
    return recorded


def guard_start(context: JobContext) -> None:
    """Raises ``ChainError`` where ``state_from`` is before the first day of the state that is there."""
    wanted, recorded = context.config.state_from, start_of(context)
    if wanted is not None and recorded is not None and wanted < recorded:
        raise ChainError(
            f"{context.job}: the feature state starts on {recorded} ({_record(context)}), so state_from {wanted} comes "
            "too late: ids are given in day order. Build the chain anew in another DAYSPRING_ROOT"
        )


def days_before(context: JobContext, day: Day) -> list[Day]:
    """The earlier days that are neither mapped nor skipped, ascending: they are mapped before ``day``.

    Raises:
        ChainError: they do not belong to the one pass, so that whoever left them out has to fill the hole.
    """
    start = start_of(context) or context.config.state_from
    missing = _missing(context, start, day) if start is not None and start < day else []
    if missing:
        _guard_hole(context, missing, day)
    return missing


def of_one_pass(context: JobContext, day: Day) -> bool:
    """Whether a day is before the first one that features were built of."""
    built = context.store.days(FEATURES, context.job)
    return bool(built) and day < built[0]


def state_before(context: JobContext, day: Day) -> Artifact | None:
    """The newest state of a day before ``day``; ``None`` where ``day`` is the first."""
    start = start_of(context)
    each = day.previous()
    while start is not None and each >= start:
        found = context.store.current(Ref(STATE, context.job, each))
        if found is not None:
            return found
        each = each.previous()
    return None


def made_of(context: JobContext, day: Day, tables: DayTables) -> list[Input]:
    """What a day's maps and state are made of: its tables, and the state that it adds to."""
    before = state_before(context, day)
    return [tables.artifact.as_input(), *([before.as_input()] if before is not None else [])]


def _missing(context: JobContext, start: Day, day: Day) -> list[Day]:
    # A settled day stays so; only days that this process has not seen yet are looked up.
    settled = context.kept(_Settled, _Settled)
    missing = []
    for each in start.through(day.previous()):
        if each in settled:
            continue
        if context.store.current(Ref(MAPS, context.job, each)) is None and context.skipped(each) is None:
            missing.append(each)
        else:
            settled.add(each)
    return missing


def _guard_hole(context: JobContext, missing: list[Day], day: Day) -> None:
    """Days before the first one with features are read in one pass; a hole after it is the user's to fill."""
    built = context.store.days(FEATURES, context.job)
    # A pass that was begun with --state-from and died goes on without it.
    one_pass = context.config.state_from is not None or bool(_recorded(context).get("in_one_pass"))
    if not one_pass or (built and built[0] < missing[-1]):
        raise ChainError(
            f"{context.job}: day {missing[0]} is neither mapped nor skipped, so the id maps cannot take day {day}; run "
            f"`python -m pipeline backfill --job {context.job} --from {missing[0]} --to {day}`"
        )


def _recorded(context: JobContext) -> dict[str, Any]:
    path = _record(context)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        Day.parse(found["start"])
    except (ValueError, TypeError, KeyError, UsageError) as error:
        raise CorruptArtifact(
            f"{path}: damaged ({error}); write {{\"start\": \"YYYY-MM-DD\"}} into it, with the first day of the "
            f"folders under {path.parent}"
        ) from None
    return dict(found)


def _record(context: JobContext) -> Path:
    return context.store.root / MAPS / context.job / "start.json"
