"""One table of a day as a Parquet file: in a few plain types, digested as it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.storage.parquet_file import WRITING
from pipeline.storage.physical_types import Unusable, kinds_of, plain, stored_as, stored_type
from pipeline.storage.table_digest import TableDigest

Kinds = Mapping[str, frozenset[pa.DataType]]
"""By column, the types of its values."""

_GROUP_ROWS = 16_384
"""Rows that are gathered before they are written: pieces of a few rows make a large and slow file."""


class Retype(Exception):
    """Columns of which a later chunk holds values of another type: with all types known, they are read again."""

    def __init__(self, kinds: Kinds) -> None:
        super().__init__(", ".join(sorted(kinds)))
        self.kinds = kinds


class ExtractedFile:
    """Takes a table chunk by chunk.

    Args:
        path: the file; it appears with the first rows, or when it is closed.
        columns: those to write, which every chunk has.
        kinds: the types that are known to come in some of them.

    Attributes:
        rows: rows taken.
        empty: columns without a value so far.
        digest: of the content, the same however it was cut into chunks.
    """

    def __init__(self, path: Path, columns: Sequence[str], kinds: Kinds) -> None:
        self.path = path
        self.rows = 0
        self.empty = set(columns)
        self.digest = TableDigest()
        self._columns = list(columns)
        self._kinds = {name: frozenset(kinds.get(name, ())) for name in columns}
        self._writer: pq.ParquetWriter | None = None
        self._held: list[pa.RecordBatch] = []
        self._held_rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Raises ``Retype`` or ``Unusable`` where the chunk does not fit those before it."""
        if batch.num_rows == 0:
            return
        arrays = {name: _plain(name, batch.column(name)) for name in self._columns}
        found = {name: self._kinds[name].union(kinds_of(array)) for name, array in arrays.items()}
        changed = {name: kinds for name, kinds in found.items() if stored_type(kinds) != self._type(name)}
        if changed and self.rows:
            raise Retype(changed)
        self._kinds = found
        arrays = {name: stored_as(array, self._type(name)) for name, array in arrays.items()}
        self.empty -= {name for name in self.empty if arrays[name].null_count < batch.num_rows}
        out = pa.RecordBatch.from_arrays(list(arrays.values()), self._columns)
        self.digest.update(out)
        self.rows += out.num_rows
        self._held.append(out)
        self._held_rows += out.num_rows
        if self._held_rows >= _GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        """Writes what is left; a table without rows has its columns as text."""
        self._flush()
        self.abandon()

    def abandon(self) -> None:
        """Lets go of a file that is not to be read."""
        self._held, self._held_rows = [], 0
        if self._writer is not None and self._writer.is_open:
            self._writer.close()

    def _flush(self) -> None:
        schema = pa.schema({name: self._type(name) for name in self._columns})
        if self._writer is None:
            self._writer = pq.ParquetWriter(self.path, schema, **WRITING)
        if self._held:
            # In few pieces: a chunk as large as a group is written as it came.
            rows = pa.Table.from_batches(self._held, schema)
            self._writer.write_table(rows if len(self._held) == 1 else rows.combine_chunks())
        self._held, self._held_rows = [], 0

    def _type(self, name: str) -> pa.DataType:
        return stored_type(self._kinds[name])


def _plain(name: str, array: pa.Array) -> pa.Array:
    try:
        return plain(array)
    except Unusable as error:
        raise Unusable(f"column '{name}' {error}") from None
