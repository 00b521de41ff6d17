"""Validation: a day's extract → typed tables and a quarantine, or a failed day before anything grows from it."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from pipeline.config.tables import Table
from pipeline.days import Day
from pipeline.engines.open import shards_of
from pipeline.errors import DataError, UsageError
from pipeline.ingest.check_rows import check_table
from pipeline.ingest.checked_parts import check_in_parts
from pipeline.ingest.common_fault import other_type
from pipeline.ingest.quarantine import QUARANTINE
from pipeline.ingest.records import Counts, ExtractRecord, ValidatedRecord
from pipeline.ingest.repeats import ENOUGH, SUFFIX, beyond_limit, repeats
from pipeline.ingest.snapshots import newest_snapshot, running_columns, with_running
from pipeline.job import JobContext
from pipeline.storage import parquet_file
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import ACCEPTED, EXTRACT, VALIDATED
from pipeline.storage.artifacts.making import Making
from pipeline.storage.digests import content_digest
from pipeline.storage.files import link_or_copy
from pipeline.storage.parquet_file import StoredTable
from pipeline.storage.table_digest import write_digested

NEXT = ".next"
"""Suffix of an undated table as of the end of the day after: what a release built in the day's run serves."""


def validate(context: JobContext, day: Day, *, reprocess: bool = False) -> Artifact:
    """The day's validated tables, committed; of a skipped day, its marker.

    Raises:
        DataError: too many rows are in quarantine or were there on earlier days, or too few are left, and the day was
            not accepted by ``accept_day``; or a column cannot hold what is declared.
        ChainError: there is no extract.
    """
    with context.day_lock("validate", day):
        return _validate(context, day, reprocess)


def _validate(context: JobContext, day: Day, reprocess: bool) -> Artifact:
    store, config = context.store, context.config
    marker = context.skip_marker(day)
    if marker is not None:
        return marker
    extracted = context.needed(EXTRACT, day)
    undated = {name: table for name, table in config.tables.items() if not table.dated}
    snapshots = {
        name: _Snapshots(
            newest_snapshot(context, name, day, extracted), newest_snapshot(context, name, day.next(), extracted)
        )
        for name, table in undated.items() if running_columns(table)
    }  # fmt: skip
    accepted = store.current(Ref(ACCEPTED, config.job, day))
    used = {each.id: each for pair in snapshots.values() for each in (pair.today, pair.next) if each is not None}
    inputs = [extracted.as_input(), *(each.as_input() for name, each in sorted(used.items()) if name != extracted.id)]
    if accepted is not None:
        inputs.append(accepted.as_input())
    settings = config.stage_settings("validate")
    ref = Ref(VALIDATED, config.job, day)
    with context.making(ref, inputs, settings, reprocess=reprocess) as made:
        if made.stands is not None:
            return made.stands
        done, read = _Done(before=_nearest(context, day)), ExtractRecord.of(extracted)
        for name, table in config.tables.items():
            began = time.perf_counter()
            if table.dated:
                _dated(context, name, table, extracted, made, done)
            else:
                _undated(context, name, table, extracted, snapshots.get(name), settings, made, done)
            done.seconds[name] = round(time.perf_counter() - began, 4)
        quarantine = pa.concat_tables(done.quarantine) if done.quarantine else QUARANTINE.empty_table()
        parquet_file.write(made.path / "quarantine.parquet", quarantine)
        beyond = _beyond_limits(context, day, done.counts)
        if beyond and accepted is None:
            raise DataError(_refusal(context, day, beyond, done.counts, quarantine))
        artifact = made.commit(
            content_digest(done.digests),
            rows={name: counts.kept for name, counts in done.counts.items()}, timings=done.seconds,
            extra=ValidatedRecord(
                counts=done.counts, digests=done.digests, keys=done.keys,
                running={name: pair.record() for name, pair in snapshots.items()},
                sources=read.sources, unread_columns=read.unread_columns, fingerprints=done.compared,
                beyond_limits=beyond, accepted=accepted.manifest.reason if accepted is not None else None,
            ).written(),
        )  # fmt: skip
    context.kept(_Newest, _Newest).artifact = artifact
    return artifact


def _dated(
    context: JobContext, name: str, table: Table, extracted: Artifact, made: Making, done: _Done
) -> None:
    """Check a dated table, and count its rows that were there on earlier days."""
    day, config = extracted.ref.day, context.config
    raw = StoredTable(extracted.file(f"{name}.parquet"))
    parts = shards_of(config, raw.rows)
    checked = check_in_parts(context.engine(), name, table, raw, day, config.timezone, parts, made.path)
    fingerprints = checked.fingerprints
    if fingerprints.rows >= ENOUGH:
        recurring = repeats(context, name, day, fingerprints)
        if recurring is not None:
            recurring.count(checked.counts)
        fingerprints.count(checked.counts)
        done.compared[name] = fingerprints.write(made.path / f"{name}{SUFFIX}")
    done.add(name, checked.counts, checked.quarantine, checked.digest)


def accept_day(context: JobContext, day: Day, reason: str) -> Artifact:
    """Records that the day is good enough although it is beyond the limits; its next validation goes on.

    Raises:
        UsageError: no reason is given.
    """
    if not reason.strip():
        raise UsageError("--accept-day needs a reason: it is recorded with the day")
    digest = content_digest({"accepted": reason})
    ref = Ref(ACCEPTED, context.job, day)
    known = context.store.current(ref)
    if known is not None and known.manifest.digest == digest:
        return known
    with context.store.draft(ref) as draft:
        return draft.commit(key=digest, digest=digest, inputs=[], reason=reason)


@dataclass(frozen=True)
class _Snapshots:
    """Where a table's running columns come from: as of the day, and as of the day after."""

    today: Artifact | None
    next: Artifact | None

    def record(self) -> dict[str, str | None]:
        return {"from": self.today.id if self.today else None, "next_from": self.next.id if self.next else None}


@dataclass
class _Done:
    """What the manifest says of the tables, and the validated day before, whose undated tables may be the same."""

    before: Artifact | None
    counts: dict[str, Counts] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    quarantine: list[pa.Table] = field(default_factory=list)
    compared: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, counts: Counts, quarantine: pa.Table, digest: str) -> None:
        self.counts[name] = counts
        self.digests[name] = digest
        if quarantine.num_rows:
            self.quarantine.append(quarantine)


def _undated(
    context: JobContext, name: str, table: Table, extracted: Artifact, pair: _Snapshots | None, settings: str,
    made: Making, done: _Done,
) -> None:  # fmt: skip
    """An undated table; linked from the day before where it was made from the same content."""
    digests = {part: ExtractRecord.of(each).digests[name] for part, each in _parts(extracted, pair).items()}
    key = done.keys[name] = content_digest({"settings": settings, **digests})
    if _linked(name, key, made, done):
        return
    running = running_columns(table)
    columns = {each: column for each, column in table.columns.items() if each not in running}
    raw = StoredTable(extracted.file(f"{name}.parquet"))
    checked = check_table(name, table, columns, raw, None, context.config.timezone)
    path, next_path = made.path / f"{name}.parquet", made.path / f"{name}{NEXT}.parquet"
    if pair is None:
        done.add(name, checked.counts, checked.quarantine, _write(path, checked.rows))
        return
    now = with_running(name, table, checked, pair.today, context.config.timezone)
    checked.counts.running_unavailable = now.unavailable
    done.add(name, checked.counts, checked.quarantine, _write(path, now.rows))
    if pair.today is pair.next or (pair.today and pair.next and pair.today.id == pair.next.id):
        link_or_copy(path, next_path)
        done.digests[name + NEXT] = done.digests[name]
    else:
        later = with_running(name, table, checked, pair.next, context.config.timezone)
        done.digests[name + NEXT] = _write(next_path, later.rows)


def _parts(extracted: Artifact, pair: _Snapshots | None) -> dict[str, Artifact]:
    parts = {"static": extracted}
    if pair is not None and pair.today is not None:
        parts["running"] = pair.today
    if pair is not None and pair.next is not None:
        parts["next"] = pair.next
    return parts


def _linked(name: str, key: str, made: Making, done: _Done) -> bool:
    before = done.before
    said = ValidatedRecord.of(before) if before is not None else None
    if before is None or said is None or said.keys.get(name) != key:
        return False
    files = [each for each in (f"{name}.parquet", f"{name}{NEXT}.parquet") if each in before.manifest.files]
    if not all((before.path / each).is_file() for each in files):
        return False
    for each in files:
        link_or_copy(before.path / each, made.path / each)
    for each in (name, name + NEXT):
        if each in said.digests:
            done.digests[each] = said.digests[each]
    done.counts[name] = said.counts[name]
    if done.counts[name].quarantined:
        rows = parquet_file.read(before.file("quarantine.parquet"), filters=[("table", "=", name)])
        done.quarantine.append(rows.cast(QUARANTINE))
    return True


def _write(path: Path, rows: pa.Table) -> str:
    return write_digested(path, parquet_file.pieces_of(rows))


@dataclass
class _Newest:
    """The day that this process validated last."""

    artifact: Artifact | None = None


def _nearest(context: JobContext, day: Day) -> Artifact | None:
    """A validated day shortly before, to take unchanged undated tables from; only saves work."""
    remembered = context.kept(_Newest, _Newest).artifact
    if remembered is not None:
        return remembered
    for back in range(1, 8):
        found = context.store.current(Ref(VALIDATED, context.job, day.plus(-back)))
        if found is not None and not found.manifest.pruned:
            return found
    return None


def _beyond_limits(context: JobContext, day: Day, counts: Mapping[str, Counts]) -> list[str]:
    """Which limits the day breaks, in words."""
    limits, beyond = context.config.validation, []
    usual = _weekday_rows(context, day)
    for name, table in context.config.tables.items():
        here = counts[name]
        distinct = here.read - here.duplicates
        if distinct and here.quarantined > limits.max_quarantined * distinct:
            beyond.append(
                f"{name}: {here.quarantined} of {distinct} rows are in quarantine, more than "
                f"validation.max_quarantined = {limits.max_quarantined:.0%} ({_top(here.reasons)})"
            )
        if name in context.config.request.event_tables:
            repeated = beyond_limit(name, here, limits.max_repeated)
            beyond += [repeated] if repeated is not None else []
        before = [rows[name] for rows in usual if name in rows]
        if not table.dated or not table.required or not before:
            continue
        median = statistics.median(before)
        if here.kept < limits.min_weekday_share * median:
            beyond.append(
                f"{name}: {here.kept} rows, less than validation.min_weekday_share = {limits.min_weekday_share:.0%} "
                f"of {median:.0f}, the median of the last {len(before)} same weekdays"
            )
    return beyond


def _weekday_rows(context: JobContext, day: Day) -> list[dict[str, int]]:
    """Rows by table of the last same weekdays with data, looking twice as many weeks back as are wanted."""
    wanted = context.config.validation.weekdays
    found: list[dict[str, int]] = []
    for week in range(1, 2 * wanted + 1):
        validated = context.store.current(Ref(VALIDATED, context.job, day.plus(-7 * week)))
        if validated is not None and len(found) < wanted:
            found.append(validated.manifest.rows)
    return found


def _top(reasons: Mapping[str, int], shown: int = 4) -> str:
    most = sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
    text = ", ".join(f"{reason}: {rows}" for reason, rows in most[:shown])
    return text + (f" and {len(most) - shown} more reasons" if len(most) > shown else "")


def _refusal(
    context: JobContext, day: Day, beyond: list[str], counts: Mapping[str, Counts], quarantine: pa.Table
) -> str:
    """The message of a day that fails; its quarantine is kept where it can be looked at."""
    folder = context.root / "refused" / context.job
    folder.mkdir(parents=True, exist_ok=True)
    parquet_file.write(folder / f"{day}.parquet", quarantine)
    told = {name: each.model_dump() for name, each in counts.items()}
    (folder / f"{day}.json").write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
    rows = {name: each.read - each.duplicates for name, each in counts.items()}
    types = [
        other_type(name, table, rows[name], quarantine, context.config.timezone)
        for name, table in context.config.tables.items()
    ]
    return (
        f"{context.job} {day}: {'; '.join([*beyond, *filter(None, types)])}. "
        f"Rows in quarantine are in {folder / f'{day}.parquet'}. Correct the source and run the day again, which reads "
        f"it again, list the day in dirty_days, or go on with `--accept-day {day} --reason …`"
    )
