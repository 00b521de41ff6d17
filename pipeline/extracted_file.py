"""One table of a day as a Parquet file: in a few plain types, digested as it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.parquet_file import WRITING
from pipeline.table_digest import TableDigest

_GROUP_ROWS = 16_384
"""Rows that are gathered before they are written: pieces of a few rows make a large and slow file."""


class Retype(Exception):
    """Columns whose type changed from chunk to chunk: they are read again as text."""

    def __init__(self, columns: set[str]) -> None:
        super().__init__(", ".join(sorted(columns)))
        self.columns = columns


class Unusable(Exception):
    """A column that cannot be kept."""


class ExtractedFile:
    """Takes a table chunk by chunk.

    Args:
        path: the file; it appears with the first rows, or when it is closed.
        columns: those to write, which every chunk has.
        as_text: those of them whose values become text, whatever their type.

    Attributes:
        rows: rows taken.
        empty: columns without a value so far.
        digest: of the content, the same however it was cut into chunks.
    """

    def __init__(self, path: Path, columns: Sequence[str], as_text: set[str]) -> None:
        self.path = path
        self.rows = 0
        self.empty = set(columns)
        self.digest = TableDigest()
        self._columns = list(columns)
        self._as_text = as_text
        self._writer: pq.ParquetWriter | None = None
        self._types: Mapping[str, pa.DataType] = {}
        self._held: list[pa.RecordBatch] = []
        self._held_rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Raises ``Retype`` or ``Unusable`` where the chunk does not fit those before it."""
        if batch.num_rows == 0:
            return
        arrays = {name: self._plain(name, batch.column(name)) for name in self._columns}
        if not self._types:
            # An all-empty first chunk tells nothing of the type.
            self._types = {n: pa.string() if pa.types.is_null(a.type) else a.type for n, a in arrays.items()}
        changed: set[str] = set()
        for name, array in arrays.items():
            if array.type != self._types[name]:
                try:
                    arrays[name] = _widened(name, array, self._types[name])
                except Retype:
                    changed.add(name)
        if changed:
            raise Retype(changed)
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
        if not self._types:
            self._types = {name: pa.string() for name in self._columns}
        self._flush()
        self.abandon()

    def abandon(self) -> None:
        """Lets go of a file that is not to be read."""
        self._held, self._held_rows = [], 0
        if self._writer is not None and self._writer.is_open:
            self._writer.close()

    def _flush(self) -> None:
        schema = pa.schema(self._types)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self.path, schema, **WRITING)
        if self._held:
            # In few pieces: a chunk as large as a group is written as it came.
            rows = pa.Table.from_batches(self._held, schema)
            self._writer.write_table(rows if len(self._held) == 1 else rows.combine_chunks())
        self._held, self._held_rows = [], 0

    def _plain(self, name: str, array: pa.Array) -> pa.Array:
        target = _plain_type(name, array.type)
        if name in self._as_text and not pa.types.is_null(array.type):
            if pa.types.is_list(target):
                raise Unusable(f"column '{name}' holds lists in some rows and single values in others")
            target = pa.string()
        try:
            return array if array.type == target else array.cast(target)
        except pa.ArrowInvalid:
            if pa.types.is_list(target):
                raise Unusable(f"column '{name}' holds values of type {array.type} beyond {target}") from None
            raise Retype({name}) from None


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
    raise Unusable(f"column '{name}' is of type {kind}; write it as text, a number, a time, or a list of these")


def _widened(name: str, array: pa.Array, target: pa.DataType) -> pa.Array:
    if pa.types.is_null(array.type) or (pa.types.is_floating(target) and pa.types.is_integer(array.type)):
        try:
            return array.cast(target)
        except pa.ArrowInvalid:
            raise Retype({name}) from None
    raise Retype({name})
