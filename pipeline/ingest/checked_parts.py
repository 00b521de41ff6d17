"""A dated table checked part by part, and what the parts come to: one table, its quarantine, its counts."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from pipeline.config.tables import Table
from pipeline.days import Day
from pipeline.engines.engine import Engine
from pipeline.ingest.check_rows import RawRows, check_table
from pipeline.ingest.cut_rows import cut_rows
from pipeline.ingest.quarantine import QUARANTINE
from pipeline.ingest.records import Counts
from pipeline.ingest.repeats import Fingerprints, PartHashes
from pipeline.storage import parquet_file
from pipeline.storage.parquet_file import PIECE, StoredTable
from pipeline.storage.table_digest import write_digested


@dataclass(frozen=True)
class CheckedTable:
    """A dated table after validation.

    Attributes:
        digest: of the content of its file.
        fingerprints: of its rows.
    """

    counts: Counts
    quarantine: pa.Table
    digest: str
    fingerprints: Fingerprints


@dataclass(frozen=True)
class _Raw:
    """Raw rows that are checked together; ``alone``: they are all of the table's."""

    name: str
    table: Table
    raw: RawRows
    day: Day
    zone: str
    folder: Path
    number: int
    alone: bool


@dataclass(frozen=True)
class _Checked:
    """What became of them: files of the rows, of the quarantine and of fingerprints, and the digest of all rows."""

    rows: Path
    quarantine: Path
    hashes: PartHashes
    counts: Counts
    digest: str | None


def check_in_parts(
    engine: Engine, name: str, table: Table, raw: StoredTable, day: Day, zone: str, parts: int, folder: Path
) -> CheckedTable:
    """Validates a dated table and writes its rows to ``<name>.parquet`` in a folder: the same in any number of parts.

    Raises:
        DataError: see ``check_table``.
    """
    work = folder / f".{name}"
    work.mkdir()
    cut = cut_rows(engine, table, raw, parts, work / "raw", zone)
    asked = [_Raw(name, table, each, day, zone, work, number, len(cut) == 1) for number, each in enumerate(cut)]
    found = engine.gathered(_check, asked, partial(_together, table, folder / f"{name}.parquet"))
    shutil.rmtree(work)
    return found


def _check(asked: _Raw) -> _Checked:
    checked = check_table(asked.name, asked.table, asked.table.columns, asked.raw, asked.day, asked.zone)
    rows, quarantine, hashes = (asked.folder / f"{asked.number:04d}.{what}" for what in ("rows", "quarantine", "npy"))
    pieces = parquet_file.pieces_of(checked.rows)
    digest = None
    if asked.alone:
        digest = write_digested(rows, pieces)
    else:
        _write(rows, pieces)
    _write(quarantine, parquet_file.pieces_of(checked.quarantine))
    return _Checked(rows, quarantine, PartHashes.of(checked.rows, asked.table, hashes), checked.counts, digest)


def _together(table: Table, path: Path, parts: Iterable[_Checked]) -> CheckedTable:
    """The table of all parts, which come in order."""
    left = iter(parts)
    done = [next(left)]
    digest = done[0].digest
    if digest is None:
        digest = write_digested(path, _in_pieces(_rows(left, done)))
    else:
        done[0].rows.rename(path)
    quarantine = pa.concat_tables([_read(part.quarantine).read_all() for part in done])
    if len(done) > 1:
        quarantine = quarantine.sort_by([(name, "ascending") for name in QUARANTINE.names])
    fingerprints = Fingerprints([part.hashes for part in done], table, StoredTable(path))
    return CheckedTable(_summed([part.counts for part in done]), quarantine, digest, fingerprints)


def _rows(left: Iterator[_Checked], done: list[_Checked]) -> Iterator[pa.RecordBatch]:
    """The rows of those that are done, and of each that is left once it is there."""
    yield from _read(done[0].rows)
    for part in left:
        done.append(part)
        yield from _read(part.rows)


def _in_pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The rows as ``parquet_file.pieces_of`` cuts those of one table."""
    held: list[pa.RecordBatch] = []
    room, any_rows = PIECE, False
    for batch in batches:
        held.append(batch.slice(0, 0))
        while batch.num_rows:
            held.append(batch.slice(0, room))
            room -= held[-1].num_rows
            batch = batch.slice(held[-1].num_rows)
            if not room:
                yield _one(held)
                held, room, any_rows = [], PIECE, True
    if room < PIECE or not any_rows:
        yield _one(held)


def _one(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    (found,) = pa.Table.from_batches(batches).combine_chunks().to_batches() or batches[:1]
    return found


def _summed(counts: Sequence[Counts]) -> Counts:
    """The counts of all parts; what is said of columns is said of each part alike."""
    total = counts[0].model_copy(deep=True)
    for each in counts[1:]:
        for name in ("read", "quarantined", "duplicates", "kept", "other_day_time"):
            setattr(total, name, getattr(total, name) + getattr(each, name))
        total.missing = {name: rows + (each.missing or {})[name] for name, rows in (total.missing or {}).items()}
        total.reasons = dict(sorted((Counter(total.reasons) + Counter(each.reasons)).items()))
    return total


def _write(path: Path, pieces: Iterable[pa.RecordBatch]) -> None:
    writer = None
    for piece in pieces:
        writer = writer or pa.ipc.new_stream(str(path), piece.schema)
        writer.write_batch(piece)
    if writer is not None:
        writer.close()


def _read(path: Path) -> pa.RecordBatchStreamReader:
    return pa.ipc.open_stream(pa.memory_map(str(path)))
