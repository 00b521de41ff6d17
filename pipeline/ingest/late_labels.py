"""Labels that come late: a day trained before its labels had matured is read again, and a ledger says what changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from pipeline.config.job import JobConfig
from pipeline.config.labels import Labels
from pipeline.config.tables import Table
from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.ingest.extract import read_again
from pipeline.ingest.parse.columns import parse_column
from pipeline.ingest.records import ExtractRecord
from pipeline.ingest.row_changes import RowChanges, row_changes
from pipeline.job import JobContext
from pipeline.storage import parquet_file
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import CHECKPOINT, EXTRACT, MATURED
from pipeline.storage.artifacts.manifest import DayText
from pipeline.storage.artifacts.record import Record
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.storage.digests import content_digest
from pipeline.storage.physical_types import texts


class Entry(Record):
    """What the second reading of a day found.

    Attributes:
        read_first, read_again: when the two readings began (ISO, UTC).
        before, after: ids of the extracts.
        digest_before, digest_after: of their content; equal where nothing changed.
        tables: by table what changed; of a table whose first reading was pruned only the rows.
        trained: experiments that had trained the day, or started from it.
    """

    kind: ClassVar = MATURED

    day: DayText = Field(exclude=True)
    mature_at: str
    read_first: str
    read_again: str
    before: str
    after: str
    digest_before: str
    digest_after: str
    tables: dict[str, dict[str, Any]]
    trained: list[str]

    @classmethod
    def of(cls, artifact: Artifact) -> Self:
        said = replace(artifact.manifest, extra={**artifact.manifest.extra, "day": artifact.ref.day})
        return super().of(replace(artifact, manifest=said))

    @property
    def changed(self) -> bool:
        return self.digest_before != self.digest_after

    @property
    def summary(self) -> str:
        """One line for people."""
        if not self.changed:
            return f"{self.day}: matured, nothing has changed"
        parts = []
        for name, table in self.tables.items():
            said = [f"labels {way}: {rows}" for way, rows in (table.get("labels") or {}).items()]
            said += [f"{rows} rows {what}" for what in ("added", "removed", "corrected") if (rows := table.get(what))]
            if table.get("added") is None:
                said.append(f"{table['before']} rows before, {table['after']} now (the first reading is pruned)")
            if said:
                parts.append(f"{name}: {', '.join(said)}")
        return f"{self.day}: matured and changed: {'; '.join(parts) or 'the types of columns'}"


def due(context: JobContext, now: datetime | None = None) -> list[Day]:
    """Days whose labels have matured and that were read before, ascending; none for a job without a label delay.

    A day that was read a second time and has no entry in the ledger yet, because the process died, is among them. One
    whose first reading is pruned is not: its undated tables could only be taken as they are now.
    """
    labels, now = context.config.labels, now or datetime.now(UTC)
    if labels is None:
        return []
    found = []
    for day in context.store.days(EXTRACT, context.job):
        mature_at = labels.mature_at(day, context.config.timezone)
        if mature_at <= now and context.skipped(day) is None and _readings(context, day, mature_at)[0] is not None:
            found.append(day)
    return found


def waiting(context: JobContext, now: datetime | None = None) -> dict[Day, datetime]:
    """Days that were read before their labels have matured, which is still to come, with the instant of it."""
    labels, now = context.config.labels, now or datetime.now(UTC)
    if labels is None:
        return {}
    days = {day: labels.mature_at(day, context.config.timezone) for day in context.store.days(EXTRACT, context.job)}
    return {day: mature_at for day, mature_at in days.items() if mature_at > now}


def mature(context: JobContext, day: Day) -> Entry | None:
    """Read a due day again and write its entry into the ledger; ``None`` if there is nothing to do.

    Where its content has changed, what was made from it is tainted by that, as by any changed input.

    Raises:
        DataError: the source no longer has the day, or has lost more of it than ``labels.max_rows_lost``.
        SourceError: the source cannot be read.
    """
    labels = context.config.labels
    if labels is None:
        return None
    mature_at = labels.mature_at(day, context.config.timezone)
    with context.lock("mature", timeout=600):
        first, second = _readings(context, day, mature_at)
        if first is None or mature_at > datetime.now(UTC):
            return None
        if second is None:
            second = read_again(context, day, lambda rows: _guard_rows(context.config, labels, day, first, rows))
        entry = Entry(
            day=day, mature_at=mature_at.isoformat(), read_first=read_at(first).isoformat(),
            read_again=read_at(second).isoformat(), before=first.id, after=second.id,
            digest_before=first.manifest.digest, digest_after=second.manifest.digest,
            tables=_compared(context.config, first, second), trained=_trained(context, day),
        )  # fmt: skip
        _write(context, entry, second)
        return entry


def ledger(context: JobContext) -> Iterator[Entry]:
    """Every entry, by day; a day has several where the label delay was made longer."""
    for day in context.store.days(MATURED, context.job):
        for artifact in context.store.generations(Ref(MATURED, context.job, day)):
            yield Entry.of(artifact)


def read_at(extracted: Artifact) -> datetime:
    """The instant at which the reading of an extract began (UTC)."""
    manifest, recorded = extracted.manifest, ExtractRecord.of(extracted).read_at
    if recorded is not None:
        return datetime.fromisoformat(recorded)
    # One from before this was recorded: not later than its end less the time that it took.
    return datetime.fromisoformat(manifest.created_at) - timedelta(seconds=sum(manifest.timings.values()))


def _readings(context: JobContext, day: Day, mature_at: datetime) -> tuple[Artifact | None, Artifact | None]:
    """The last reading before the labels matured and the current one after it, where the ledger lacks the day."""
    ref = Ref(EXTRACT, context.job, day)
    current = context.store.current(ref)
    if current is None:
        return None, None
    if read_at(current) < mature_at:
        return (None if current.manifest.pruned else current), None
    if current.generation == 1 or context.store.current(Ref(MATURED, context.job, day)) is not None:
        return None, None
    early = [each for each in context.store.generations(ref) if read_at(each) < mature_at]
    return (early[-1], current) if early else (None, None)


def _guard_rows(config: JobConfig, labels: Labels, day: Day, first: Artifact, rows: Mapping[str, int]) -> None:
    for name, table in config.tables.items():
        had, has = first.manifest.rows.get(name, 0), rows.get(name, 0)
        if table.dated and had - has > labels.max_rows_lost * had:
            raise DataError(
                f"{config.job} {day}: table '{name}' had {had} rows when the day was first read and has {has} now, "
                f"less than labels.max_rows_lost = {labels.max_rows_lost:.0%} allows, so the first reading "
                f"stands. Where the smaller day is right: python -m pipeline backfill --job {config.job} --from {day} "
                f"--to {day} --reprocess"
            )


def _compared(config: JobConfig, first: Artifact, second: Artifact) -> dict[str, dict[str, Any]]:
    """By dated table what changed; tables whose content is the same are left out."""
    found: dict[str, dict[str, Any]] = {}
    labels = config.request.label_columns
    for name, table in config.tables.items():
        old, new = (ExtractRecord.of(each).digests.get(name) for each in (first, second))
        if not table.dated or old == new:
            continue
        if old is None or new is None or first.manifest.pruned or second.manifest.pruned:
            changes = asdict(RowChanges(first.manifest.rows.get(name, 0), second.manifest.rows.get(name, 0)))
            found[name] = {**changes, **dict.fromkeys(("added", "removed", "corrected", "labels"))}
            continue
        raw = [parquet_file.read(each.file(f"{name}.parquet")) for each in (first, second)]
        before, after = (_as_read(rows, table, config.timezone) for rows in raw)
        found[name] = asdict(row_changes(before, after, list(dict.fromkeys(table.order)), labels.get(name)))
    return found


def _as_read(rows: pa.Table, table: Table, zone: str) -> pa.Table:
    """The declared columns as text, a value as it is read (12.0 is no correction of 12), a bad one as it is written."""
    columns = {}
    for name, column in table.columns.items():
        source = column.source or name
        if source not in rows.column_names:
            columns[name] = pa.nulls(rows.num_rows, pa.string())
            continue
        written = rows[source].combine_chunks()
        try:
            parsed = parse_column(written, column, zone)
            columns[name] = pc.if_else(pa.array(parsed.bad), texts(written), texts(parsed.values))
        except DataError:
            columns[name] = texts(written)
    return pa.table(columns)


def _trained(context: JobContext, day: Day) -> list[str]:
    store, job = context.store, context.job
    return [name for name in store.experiments(CHECKPOINT, job) if _trained_since(store, job, name, day)]


def _trained_since(store: ArtifactStore, job: str, experiment: str, day: Day) -> bool:
    later = [each for each in store.days(CHECKPOINT, job, experiment) if each >= day]
    found = (store.current(Ref(CHECKPOINT, job, each, experiment)) for each in later)
    return any(each is not None and each.manifest.state == "done" for each in found)


def _write(context: JobContext, entry: Entry, second: Artifact) -> None:
    extra = entry.written()
    rows = {name: int(table["after"]) for name, table in entry.tables.items()}
    digest = content_digest({name: value for name, value in extra.items() if name not in ("read_first", "read_again")})
    with context.store.draft(Ref(MATURED, context.job, entry.day)) as draft:
        draft.commit(key=digest, digest=digest, inputs=[second.as_input()], rows=rows, extra=extra)
