"""A table's raw rows cut into parts that follow each other in canonical order: each can be checked by itself.

They are cut by the first column of that order, so rows that are equal, or equal in all that orders them, are in one
part. Where exactly they are cut leaves no trace in what is made of them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config.tables import Column, Table
from pipeline.engines.engine import Engine
from pipeline.ingest.check_rows import RawRows
from pipeline.ingest.parse.columns import parse_column
from pipeline.ingest.row_order import ordering, sortable
from pipeline.storage.parquet_file import PIECE, StoredTable

_GROUPS_LOOKED_AT = 16
_BLOCKS = 8
"""One process reads so much of the file that pieces of it are not small."""


@dataclass(frozen=True)
class CutRows:
    """The rows of one part, out of the files that they were cut into."""

    files: tuple[Path, ...]
    names: list[str]
    rows: int

    def pieces(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows in the order of the extract."""
        yield from self._read(columns).to_batches(PIECE) or [pa.RecordBatch.from_pylist([], self._schema(columns))]

    def read(self, columns: Sequence[str]) -> pa.Table:
        """All rows of some columns; text without a dictionary."""
        found = self._read(columns)
        decoded = [
            column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
            for column in found.columns
        ]
        return pa.table(decoded, names=found.column_names)

    def _read(self, columns: Sequence[str]) -> pa.Table:
        tables = []
        for path in self.files:
            with pa.memory_map(str(path)) as mapped, pa.ipc.open_stream(mapped) as stream:
                tables.append(stream.read_all().select(list(columns)))
        return pa.concat_tables(tables).unify_dictionaries().combine_chunks()

    def _schema(self, columns: Sequence[str]) -> pa.Schema:
        return self._read(columns).schema


@dataclass(frozen=True)
class _Block:
    """What one process cuts: some groups of the extract's rows, at ``limits`` of a column's values."""

    raw: StoredTable
    column: Column
    source: str
    zone: str
    limits: NDArray[Any]
    folder: Path
    number: int


def cut_rows(engine: Engine, table: Table, raw: StoredTable, parts: int, folder: Path, zone: str) -> list[RawRows]:
    """At most so many parts, in canonical order one behind the other; the table itself where it is not to be cut.

    Args:
        folder: where files are put that are of no use once the parts are checked.
    """
    names = ordering([*table.columns], table.order, table.outcomes)
    by = next((name for name in names if _source(table, name) in raw.names), None)
    if by is None or parts == 1:
        return [raw]
    limits = _limits(table.columns[by], _source(table, by), raw, parts, zone)
    if not len(limits):
        return [raw]
    folder.mkdir()
    blocks = [
        _Block(raw.of(groups.tolist()), table.columns[by], _source(table, by), zone, limits, folder, number)
        for number, groups in enumerate(np.array_split(raw.groups, min(parts, _BLOCKS))) if len(groups)
    ]  # fmt: skip
    counts = np.array([*engine.run(_cut, blocks)])
    return [
        CutRows(tuple(_path(folder, block.number, part) for block in blocks), raw.names, int(counts[:, part].sum()))
        for part in range(len(limits) + 1)
    ]


def _limits(column: Column, source: str, raw: StoredTable, parts: int, zone: str) -> NDArray[Any]:
    """Values at which parts of about equal size begin, as some groups of the rows have them."""
    some = raw.of(raw.groups[:: -(-len(raw.groups) // _GROUPS_LOOKED_AT) or 1])
    found = [_places(piece.column(0), column, zone) for piece in some.pieces([source])]
    values = np.sort(np.concatenate(found))
    limits = np.unique(values[np.arange(1, parts) * len(values) // parts] if len(values) else values)
    return limits[limits > values[0]] if len(values) else limits


def _cut(block: _Block) -> list[int]:
    """Rows of a block by part, each written to its file."""
    writers: list[pa.RecordBatchStreamWriter] = []
    counts = np.zeros(len(block.limits) + 1, np.int64)
    try:
        for piece in block.raw.pieces(block.raw.names):
            if not writers:
                paths = [_path(block.folder, block.number, part) for part in range(len(counts))]
                writers = [pa.ipc.new_stream(str(path), piece.schema) for path in paths]
            values = _places(piece.column(piece.schema.names.index(block.source)), block.column, block.zone)
            part = np.searchsorted(block.limits, values, side="right")
            ordered = piece.take(pa.array(np.argsort(part, kind="stable")))
            here = np.bincount(part, minlength=len(counts))
            for number, (start, rows) in enumerate(zip(np.cumsum(here) - here, here, strict=True)):
                if rows:
                    writers[number].write_batch(_compact(ordered.slice(start, rows)))
            counts += here
    finally:
        for writer in writers:
            writer.close()
    return [int(each) for each in counts]


def _compact(piece: pa.RecordBatch) -> pa.RecordBatch:
    """The piece with dictionaries of the values only that it has."""
    columns = []
    for column in piece.columns:
        if pa.types.is_dictionary(column.type) and len(column.dictionary):
            places = np.asarray(pc.fill_null(column.indices, 0))
            used = np.zeros(len(column.dictionary), bool)
            used[places] = True
            indices = pa.array((np.cumsum(used) - 1)[places], column.type.index_type, mask=np.asarray(column.is_null()))
            column = pa.DictionaryArray.from_arrays(indices, column.dictionary.filter(pa.array(used)))
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=piece.schema)


def _places(array: pa.Array, column: Column, zone: str) -> NDArray[Any]:
    """A number for each value, which grows with it in canonical order; the largest where there is none."""
    values = sortable(parse_column(array, column, zone).values)
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_string(values.type):
        return _first_bytes(values)
    if pa.types.is_floating(values.type):
        return np.asarray(pc.fill_null(values, np.inf))
    whole = values.cast(pa.int32() if values.type.bit_width == 32 else pa.int64()).cast(pa.int64())
    return np.asarray(pc.fill_null(whole, np.iinfo(np.int64).max))


def _first_bytes(texts: pa.Array) -> NDArray[np.uint64]:
    """The first eight bytes of each text as a number."""
    filled = pc.fill_null(pc.binary_slice(texts.cast(pa.binary()), 0, 8), b"\xff" * 8)
    ends = np.frombuffer(filled.buffers()[1], np.int32)[filled.offset : filled.offset + len(filled) + 1]
    data, starts, lengths = np.frombuffer(filled.buffers()[2] or b"", np.uint8), ends[:-1], np.diff(ends)
    found = np.zeros((len(filled), 8), np.uint8)
    for place in range(8):
        there = lengths > place
        found[there, place] = data[starts[there] + place]
    return found.view(">u8")[:, 0].astype(np.uint64)


def _source(table: Table, name: str) -> str:
    return table.columns[name].source or name


def _path(folder: Path, block: int, part: int) -> Path:
    return folder / f"{part:04d}-{block:04d}.arrows"
