"""Reading tables into the extracts of one or more days: a dated one in one pass, an undated one as it is now."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.config.job import JobConfig
from pipeline.config.tables import Keys, Table
from pipeline.days import Day
from pipeline.errors import SourceError
from pipeline.ingest.extracted_file import ExtractedFile, Kinds, Retype
from pipeline.ingest.keys import keys_of
from pipeline.ingest.records import ExtractRecord
from pipeline.sources.base import DaysReading, Reading, Source
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.storage.artifacts.making import Making
from pipeline.storage.digests import content_digest
from pipeline.storage.files import link_or_copy
from pipeline.storage.physical_types import Unusable

_TOLD = 12
"""Columns of a source that are told."""


@dataclass
class DayDraft:
    """The extract of a day being made, and what its manifest will say of the tables.

    Attributes:
        refused: why the day cannot be committed; empty while it can.
        began: the instant of its making, before anything is read (ISO, UTC).
    """

    day: Day
    made: Making
    refused: str = ""
    began: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
    rows: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    unread: dict[str, list[str]] = field(default_factory=dict)
    as_of: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    linked: list[str] = field(default_factory=list)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def path(self, table: str) -> Path:
        return self.made.path / f"{table}.parquet"

    def take_columns(self, table: str, read: ExtractRecord) -> None:
        """What an earlier extract says of the columns of a table that is its file."""
        for recorded, kept in ((read.missing_columns, self.missing), (read.unread_columns, self.unread)):
            if table in recorded:
                kept[table] = recorded[table]

    def took(self, table: str, began: float, days: int) -> None:
        self.seconds[table] = round((time.perf_counter() - began) / days, 4)


def read_dated(source: Source, config: JobConfig, name: str, drafts: Sequence[DayDraft]) -> None:
    """The rows of the drafts' days, in one pass over each source that stands for the table on some of them.

    A day that lacks a required column is refused. Raises ``SourceError``.
    """
    for wanted, group in _by_source(config.tables[name], drafts).items():
        began = time.perf_counter()
        _retyped(source, name, wanted, partial(_read_days, source, config, name, wanted, group))
        for each in group:
            each.took(name, began, len(group))


def _retyped(source: Source, name: str, wanted: str, read: Callable[[Kinds], None]) -> None:
    """Read from the beginning once more whenever a column turns out to hold other types than were known until then."""
    kinds: Kinds = {}
    while True:
        try:
            read(kinds)
            return
        except Retype as change:
            kinds = {**kinds, **change.kinds}
        except Unusable as error:
            raise SourceError(f"{source.url}: table '{wanted}' ({name}): {error}") from None


def _read_days(
    source: Source, config: JobConfig, name: str, wanted: str, group: Sequence[DayDraft], kinds: Kinds
) -> None:
    """Streams the rows of the days to their files, in one pass."""
    table, by_day = config.tables[name], {each.day: each for each in group}
    reading = source.read_days(wanted, _wanted(table), list(by_day), chunk_rows=config.chunk_rows)
    if reading.missing and source.has_columns:
        for each in group:
            if source.has_rows(wanted, each.day):
                _judge(source, name, wanted, table, each, reading.missing, reading.others)
        if all(each.refused for each in group):
            return
    files = {each.day: _file(each.path(name), table, reading, kinds) for each in group}
    try:
        for day, batch in reading.batches:
            files[day].write(batch)
        for day, file in files.items():
            file.close()
            _record(source, name, wanted, table, by_day[day], file, reading.missing)
            if day in reading.notes:
                by_day[day].notes[name] = reading.notes[day]
            if reading.others and by_day[day].rows[name]:
                by_day[day].unread[name] = list(reading.others)
    finally:
        for file in files.values():
            file.abandon()


def read_undated(
    source: Source, config: JobConfig, name: str, drafts: Sequence[DayDraft], before: Artifact | None
) -> None:
    """An undated table as it is now, once for all drafts; content that an earlier extract holds is linked, not copied.

    Args:
        before: the extract before the drafts' days, or the one that they replace.
    """
    table = config.tables[name]
    for wanted, group in _by_source(table, drafts).items():
        began = time.perf_counter()
        first, *others = group
        _snapshot(source, config, name, wanted, first, drafts, before)
        for each in others:
            link_or_copy(first.path(name), each.path(name))
            each.rows[name], each.digests[name] = first.rows[name], first.digests[name]
            each.as_of[name] = first.as_of[name]
            each.linked.append(name)
            if name in first.versions:
                each.versions[name] = first.versions[name]
            if name in first.missing:
                each.missing[name] = first.missing[name]
            if name in first.unread:
                each.unread[name] = first.unread[name]
        for each in group:
            each.took(name, began, len(group))


def read_now(source: Source, config: JobConfig, name: str, day: Day, path: Path) -> None:
    """An undated table as it is now, streamed to a file of no extract.

    Args:
        day: by which its source is chosen, where others stand in for it.
    """
    table = config.tables[name]
    wanted = table.source_on(day)

    def read(kinds: Kinds) -> None:
        reading = source.read(wanted, _wanted(table), None, chunk_rows=config.chunk_rows)
        file = _file(path, table, reading, kinds)
        try:
            for batch in reading.batches:
                file.write(batch)
            file.close()
        finally:
            file.abandon()

    _retyped(source, name, wanted, read)


def keep(name: str, here: DayDraft, before: Artifact) -> bool:
    """Take a table as an earlier extract of the day has it; ``False`` if that does not hold it."""
    earlier = _earlier(before, name)
    if earlier is None:
        return False
    here.path(name).unlink(missing_ok=True)
    link_or_copy(earlier, here.path(name))
    read = ExtractRecord.of(before)
    here.rows[name], here.digests[name] = before.manifest.rows[name], read.digests[name]
    here.take_columns(name, read)
    for recorded, kept in ((read.as_of, here.as_of), (read.versions, here.versions)):
        if name in recorded:
            kept[name] = recorded[name]
    if name in read.notes:
        here.notes[name] = read.notes[name]
    here.linked.append(name)
    return True


def _snapshot(
    source: Source, config: JobConfig, name: str, wanted: str, here: DayDraft, drafts: Sequence[DayDraft],
    before: Artifact | None,
) -> None:  # fmt: skip
    table, path = config.tables[name], here.path(name)
    # Taken before the read: what changes meanwhile is then newer than the snapshot claims, never older.
    here.as_of[name] = datetime.now(UTC).astimezone(ZoneInfo(config.timezone)).isoformat(timespec="seconds")
    named = table.keys if source.reads_keys else None
    version = None if named is not None else source.version(wanted)
    if version is not None:
        here.versions[name] = content_digest({"version": version, "columns": sorted(_wanted(table))})
    earlier = _earlier(before, name)
    if earlier is not None and before is not None and version is not None:
        read = ExtractRecord.of(before)
        if read.versions.get(name) == here.versions[name]:
            link_or_copy(earlier, path)
            here.rows[name], here.digests[name] = before.manifest.rows[name], read.digests[name]
            here.take_columns(name, read)
            here.linked.append(name)
            return
    keys = _keys(config, name, named, drafts, earlier) if named is not None else None
    _retyped(source, name, wanted, partial(_read, source, config, name, wanted, here, keys))
    if here.rows[name] == 0 and table.required:
        asked = "has no rows" if keys is None else f"has none of the {len(keys)} keys that the day's rows name"
        raise SourceError(f"{source.url}: table '{wanted}' ({name}) {asked}; fill it, or declare it `required: false`")
    same = before is not None and ExtractRecord.of(before).digests.get(name) == here.digests[name]
    if earlier is not None and same:
        path.unlink()
        link_or_copy(earlier, path)
        here.linked.append(name)


def _read(
    source: Source,
    config: JobConfig,
    name: str,
    wanted: str,
    here: DayDraft,
    keys: Sequence[str] | None,
    kinds: Kinds,
) -> None:
    """Streams an undated table, or its rows of the keys, to its file."""
    table = config.tables[name]
    if keys is None:
        reading = source.read(wanted, _wanted(table), None, chunk_rows=config.chunk_rows)
    else:
        reading = source.read_keys(wanted, _wanted(table), keys, chunk_rows=config.chunk_rows)
    if source.has_columns:
        _judge(source, name, wanted, table, here, reading.missing, reading.others)
    if here.refused:
        raise SourceError(here.refused)
    file = _file(here.path(name), table, reading, kinds)
    try:
        for batch in reading.batches:
            file.write(batch)
        file.close()
        _record(source, name, wanted, table, here, file, reading.missing, undated=True)
        if reading.others:
            here.unread[name] = list(reading.others)
    finally:
        file.abandon()


def _keys(
    config: JobConfig, name: str, named: Keys, drafts: Sequence[DayDraft], earlier: Path | None
) -> list[str]:  # fmt: skip
    """The keys in the rows of the drafts' days, and those of the rows that the extract before has.

    So a profile once read is read again as it is now, as long as days are extracted in order; a release serves all.
    """
    table = config.tables[name]
    column = config.tables[named.table].columns[named.column]
    source_name = column.source or named.column
    files = [(each.path(named.table), column, source_name) for each in drafts if not each.refused]
    if earlier is not None:
        (own,) = table.key
        files.append((earlier, table.columns[own], table.columns[own].source or own))
    return keys_of(files, config.timezone)


def _earlier(before: Artifact | None, name: str) -> Path | None:
    if before is None or before.manifest.pruned or f"{name}.parquet" not in before.manifest.files:
        return None
    path = before.path / f"{name}.parquet"
    return path if path.is_file() else None


def _by_source(table: Table, drafts: Sequence[DayDraft]) -> dict[str, list[DayDraft]]:
    groups: dict[str, list[DayDraft]] = {}
    for each in drafts:
        if not each.refused:
            groups.setdefault(table.source_on(each.day), []).append(each)
    return groups


def _wanted(table: Table) -> list[str]:
    """The source's names of the columns to read, each once."""
    return list(dict.fromkeys(column.source or name for name, column in table.columns.items()))


def _file(path: Path, table: Table, reading: Reading | DaysReading, kinds: Kinds) -> ExtractedFile:
    return ExtractedFile(path, [each for each in _wanted(table) if each not in reading.missing], kinds)


def _record(
    source: Source, name: str, wanted: str, table: Table, here: DayDraft, file: ExtractedFile,
    missing: Sequence[str], *, undated: bool = False,
) -> None:  # fmt: skip
    """What the manifest says of a table that is read; a table without rows is not asked for its columns."""
    here.rows[name], here.digests[name] = file.rows, file.digest.hexdigest()
    if file.rows == 0 and not undated:
        return
    lacking = set(missing)
    if not source.has_columns and file.rows:
        lacking |= file.empty
        _judge(source, name, wanted, table, here, sorted(lacking))
    if lacking:
        here.missing[name] = sorted(lacking)


def _judge(
    source: Source, name: str, wanted: str, table: Table, here: DayDraft, missing: Sequence[str],
    others: Sequence[str] = (),
) -> None:  # fmt: skip
    """Refuses a day whose table lacks a required column."""
    lost = [
        table.in_source(each) for each, column in table.columns.items()
        if column.required and (column.source or each) in missing
    ]  # fmt: skip
    if lost:
        told = ", ".join([*others[:_TOLD], *(["…"] if len(others) > _TOLD else [])])
        where = "no column" if source.has_columns else f"in the rows of {here.day} no value in column"
        here.refused = (
            f"{source.url}: table '{wanted}' has {where} {', '.join(lost)}, which tables.{name}.columns declares as "
            f"required{f' (not read are {told})' if told else ''}; add it to the source, let `source:` name the column "
            "that it is there, or declare it `required: false`"
        )
