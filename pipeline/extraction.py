"""Extraction: a day of every table as the sources have it, streamed chunk by chunk into Parquet files."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.artifacts import Artifact, Draft, Ref
from pipeline.config.tables import Table
from pipeline.context import JobContext
from pipeline.days import Day
from pipeline.durable import content_digest, disk_errors
from pipeline.errors import DataError, SourceError
from pipeline.readiness import day_state
from pipeline.reuse import key_of
from pipeline.sources import Source
from pipeline.table_digest import TableDigest

EXTRACT = "extract"
DAY = "day"


def extract(context: JobContext, day: Day, *, reprocess: bool = False) -> Artifact:
    """The day's rows of every declared table, committed; or the day's ``skipped`` marker, with the reason.

    What is committed is final, a skip too: the sources are only looked at again with ``reprocess``.

    Raises:
        SourceError: a table or required column is not there.
        DataError: the day is not ready yet, or only some of its required tables have rows.
        UsageError: the day is in the future.
    """
    store, job = context.store, context.job
    marker = store.current(Ref(DAY, job, day))
    committed = store.current(Ref(EXTRACT, job, day))
    if not reprocess:
        if marker is not None and marker.manifest.state == "skipped":
            return marker
        if committed is not None:
            return _done(context, day, marker, committed)
    found = day_state(context, day)
    if found.state in ("empty", "dirty"):
        return _skip(context, day, marker, found.reason)
    if found.state != "ready":
        raise DataError(f"{job} {day}: {found.reason}")
    return _done(context, day, marker, _extract(context, day, committed))


def _skip(context: JobContext, day: Day, marker: Artifact | None, reason: str) -> Artifact:
    if marker is not None and marker.manifest.state == "skipped" and marker.manifest.reason == reason:
        return marker
    digest = content_digest({"state": "skipped"})
    with context.store.draft(Ref(DAY, context.job, day)) as draft:
        return draft.commit(key=digest, digest=digest, inputs=[], state="skipped", reason=reason)


def _done(context: JobContext, day: Day, marker: Artifact | None, extracted: Artifact) -> Artifact:
    """Records that the day has data, once its extract is there; returns the extract."""
    if marker is None or marker.manifest.state != "done":
        digest = content_digest({"state": "done"})
        with context.store.draft(Ref(DAY, context.job, day)) as draft:
            draft.commit(key=digest, digest=digest, inputs=[])
    return extracted


@dataclass
class _Extracted:
    """What the manifest says of the tables."""

    rows: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    as_of: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    linked: list[str] = field(default_factory=list)


def _extract(context: JobContext, day: Day, committed: Artifact | None) -> Artifact:
    config, source = context.config, context.source()
    settings = config.stage_settings("extract")
    before = committed or context.store.latest_before(EXTRACT, config.job, day)
    done = _Extracted()
    with context.store.draft(Ref(EXTRACT, config.job, day)) as draft, disk_errors(draft.path):
        for name, table in config.tables.items():
            began = time.perf_counter()
            if table.dated:
                digest = _write(source, name, table, day, draft.path / f"{name}.parquet", config.chunk_rows, done)
            else:
                digest = _snapshot(context, name, table, day, draft, before, done)
            done.digests[name] = digest
            done.seconds[name] = round(time.perf_counter() - began, 4)
        digest = content_digest(done.digests)
        return draft.commit(
            key=key_of([], settings), digest=digest, inputs=[], settings=settings, rows=done.rows, timings=done.seconds,
            extra={
                "url": source.url,
                "sources": {name: table.source_on(day) for name, table in config.tables.items()},
                "digests": done.digests,
                "missing_columns": done.missing,
                "as_of": done.as_of,
                "versions": done.versions,
                "linked": done.linked,
            },
        )  # fmt: skip


def _snapshot(
    context: JobContext, name: str, table: Table, day: Day, draft: Draft, before: Artifact | None, done: _Extracted
) -> str:
    """An undated table as it is now; content that an earlier extract holds already is linked, not copied."""
    source, config = context.source(), context.config
    path = draft.path / f"{name}.parquet"
    wanted = table.source_on(day)
    # Taken before the read: what changes meanwhile is then newer than the snapshot claims, never older.
    done.as_of[name] = datetime.now(UTC).astimezone(ZoneInfo(config.timezone)).isoformat(timespec="seconds")
    version = source.version(wanted)
    if version is not None:
        done.versions[name] = content_digest({"version": version, "columns": sorted(_wanted(table))})
    earlier = _earlier(before, name)
    if earlier is not None and before is not None and version is not None:
        recorded = before.manifest.extra.get("versions", {}).get(name)
        if recorded == done.versions[name]:
            _link(earlier, path)
            done.rows[name] = before.manifest.rows[name]
            done.linked.append(name)
            missing = before.manifest.extra.get("missing_columns", {}).get(name)
            if missing:
                done.missing[name] = missing
            return str(before.manifest.extra["digests"][name])
    digest = _write(source, name, table, None, path, config.chunk_rows, done, source_name=wanted)
    if done.rows[name] == 0 and table.required:
        raise SourceError(
            f"{source.url}: table '{wanted}' ({name}) has no rows; fill it, or declare it `required: false`"
        )
    if earlier is not None and before is not None and before.manifest.extra.get("digests", {}).get(name) == digest:
        path.unlink()
        _link(earlier, path)
        done.linked.append(name)
    return digest


def _earlier(before: Artifact | None, name: str) -> Path | None:
    if before is None or before.manifest.pruned or f"{name}.parquet" not in before.manifest.files:
        return None
    path = before.path / f"{name}.parquet"
    return path if path.is_file() else None


def _link(earlier: Path, path: Path) -> None:
    try:
        os.link(earlier, path)
    except OSError:  # a file system without hard links, or too many of them
        shutil.copyfile(earlier, path)


def _wanted(table: Table) -> list[str]:
    """The source's names of the columns to read, each once."""
    return list(dict.fromkeys(column.source or name for name, column in table.columns.items()))


def _write(
    source: Source, name: str, table: Table, day: Day | None, path: Path, chunk_rows: int, done: _Extracted,
    *, source_name: str | None = None,
) -> str:  # fmt: skip
    """Streams a table to ``path``; returns the digest of its content."""
    wanted = source_name or table.source_on(day or Day(1))
    as_text: set[str] = set()
    while True:
        reading = source.read(wanted, _wanted(table), day, chunk_rows=chunk_rows)
        has_columns = day is None or source.has_rows(wanted, day)
        if has_columns:
            _require(source, name, wanted, table, reading.missing)
        writer = _Writer(path, [each for each in _wanted(table) if each not in reading.missing], as_text)
        try:
            for batch in reading.batches:
                writer.write(batch)
            writer.close()
            break
        except _Retype as change:
            as_text |= change.columns
        except _Unusable as error:
            raise SourceError(f"{source.url}: table '{wanted}' ({name}): {error}") from None
        finally:
            writer.abandon()
    done.rows[name] = writer.rows
    if reading.missing and has_columns:
        done.missing[name] = sorted(reading.missing)
    return writer.digest.hexdigest()


def _require(source: Source, name: str, wanted: str, table: Table, missing: tuple[str, ...]) -> None:
    lost = [
        each for each, column in table.columns.items()
        if column.required and (column.source or each) in missing
    ]  # fmt: skip
    if lost:
        raise SourceError(
            f"{source.url}: table '{wanted}' has no column {', '.join(lost)}, which tables.{name}.columns declares as "
            "required; add it to the source, name it there with `source:`, or declare it `required: false`"
        )


class _Retype(Exception):
    """Columns whose type changed from chunk to chunk: they are read again as text."""

    def __init__(self, columns: set[str]) -> None:
        super().__init__(", ".join(sorted(columns)))
        self.columns = columns


class _Unusable(Exception):
    """A column that cannot be kept."""


class _Writer:
    """Writes chunks to one Parquet file, in a few plain types, digesting the content on the way."""

    def __init__(self, path: Path, columns: list[str], as_text: set[str]) -> None:
        self.rows = 0
        self.digest = TableDigest()
        self._path = path
        self._columns = columns
        self._as_text = as_text
        self._writer: pq.ParquetWriter | None = None
        self._types: Mapping[str, pa.DataType] = {}

    def write(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows == 0:
            return
        arrays = {name: self._plain(name, batch.column(name)) for name in self._columns}
        if self._writer is None:
            # An all-empty first chunk tells nothing of the type.
            self._open({n: pa.string() if pa.types.is_null(a.type) else a.type for n, a in arrays.items()})
        changed: set[str] = set()
        for name, array in arrays.items():
            if array.type != self._types[name]:
                try:
                    arrays[name] = _widened(name, array, self._types[name])
                except _Retype:
                    changed.add(name)
        if changed:
            raise _Retype(changed)
        assert self._writer is not None
        out = pa.RecordBatch.from_arrays(list(arrays.values()), self._columns)
        self._writer.write_batch(out)
        self.digest.update(out)
        self.rows += out.num_rows

    def close(self) -> None:
        if self._writer is None:
            self._open({name: pa.string() for name in self._columns})
        self.abandon()

    def abandon(self) -> None:
        if self._writer is not None and self._writer.is_open:
            self._writer.close()

    def _open(self, types: Mapping[str, pa.DataType]) -> None:
        self._types = types
        self._writer = pq.ParquetWriter(self._path, pa.schema(types), compression="zstd")

    def _plain(self, name: str, array: pa.Array) -> pa.Array:
        target = _plain_type(name, array.type)
        if name in self._as_text and not pa.types.is_null(array.type):
            if pa.types.is_list(target):
                raise _Unusable(f"column '{name}' holds lists in some rows and single values in others")
            target = pa.string()
        try:
            return array if array.type == target else array.cast(target)
        except pa.ArrowInvalid:
            if pa.types.is_list(target):
                raise _Unusable(f"column '{name}' holds values of type {array.type} beyond {target}") from None
            raise _Retype({name}) from None


def _plain_type(name: str, kind: pa.DataType) -> pa.DataType:
    """The one of few types that a column is kept in."""
    t = pa.types
    if t.is_dictionary(kind):
        kind = kind.value_type
    if t.is_integer(kind) or t.is_boolean(kind):
        return pa.int64()
    if t.is_floating(kind):
        return pa.float64()
    if any(test(kind) for test in (t.is_string, t.is_large_string, t.is_binary, t.is_large_binary, t.is_decimal)):
        return pa.string()
    if t.is_date(kind):
        return pa.date32()
    if t.is_null(kind) or t.is_timestamp(kind):
        return kind
    if t.is_list(kind) or t.is_large_list(kind) or t.is_fixed_size_list(kind):
        item = _plain_type(name, kind.value_type)
        if not t.is_list(item):
            return pa.list_(pa.string() if t.is_null(item) else item)
    raise _Unusable(f"column '{name}' is of type {kind}; write it as text, a number, a time, or a list of these")


def _widened(name: str, array: pa.Array, target: pa.DataType) -> pa.Array:
    if pa.types.is_null(array.type) or (pa.types.is_floating(target) and pa.types.is_integer(array.type)):
        try:
            return array.cast(target)
        except pa.ArrowInvalid:
            raise _Retype({name}) from None
    raise _Retype({name})


def as_of_day(context: JobContext, extracted: Artifact, table: str) -> Day | None:
    """The business day on which an extract took its snapshot of an undated table."""
    written: Any = extracted.manifest.extra.get("as_of", {}).get(table)
    return None if written is None else Day.of_instant(datetime.fromisoformat(written), context.config.timezone)
