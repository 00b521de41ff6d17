"""Digests of tables by content: the same for equal values, however they are cut into chunks or stored.

What writers choose is no content: how a list's item is called, whether a field may be null, large variants, metadata.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.storage import parquet_file
from pipeline.storage.physical_types import name_of, usual


class TableDigest:
    """Digest of a table's columns in their rows' order, fed chunk by chunk.

    Args:
        spell: how a column's type is written.
    """

    def __init__(self, spell: Callable[[pa.DataType], str] = name_of) -> None:
        self._columns: dict[str, _ColumnDigest] = {}
        self._rows = 0
        self._spell = spell

    def update(self, batch: pa.RecordBatch) -> None:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            column = usual(column)
            if name not in self._columns:
                self._columns[name] = _ColumnDigest(column.type, self._spell)
            self._columns[name].update(column)
        self._rows += batch.num_rows

    def updated(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch, once it is in the digest."""
        self.update(batch)
        return batch

    def hexdigest(self) -> str:
        total = hashlib.blake2b(str(self._rows).encode(), digest_size=16)
        for name in sorted(self._columns):
            total.update(f"\n{name} {self._columns[name].hexdigest()}".encode())
        return total.hexdigest()


def write_digested(path: Path, pieces: Iterable[pa.RecordBatch]) -> str:
    """Write a table piece by piece; the digest of its content."""
    digest = TableDigest()
    parquet_file.write_pieces(path, map(digest.updated, pieces))
    return digest.hexdigest()


def table_digest(table: pa.Table) -> str:
    """Digest of a whole table."""
    digest = TableDigest()
    # A table without rows still has columns.
    for batch in table.to_batches() or pa.Table.from_batches([], table.schema).combine_chunks().to_batches():
        digest.update(batch)
    if table.num_rows == 0:
        digest.update(pa.RecordBatch.from_arrays([pa.array([], f.type) for f in table.schema], schema=table.schema))
    return digest.hexdigest()


class _ColumnDigest:
    """Values, validity and lengths are hashed apart, so that the boundaries of chunks leave no trace."""

    def __init__(self, kind: pa.DataType, spell: Callable[[pa.DataType], str]) -> None:
        self._parts = [hashlib.blake2b(spell(kind).encode(), digest_size=16) for _ in range(3)]
        children = [kind.field(place).type for place in range(kind.num_fields)]
        self._inner = [_ColumnDigest(each, spell) for each in children]

    def update(self, array: pa.Array) -> None:
        values, valid, lengths = self._parts
        valid.update(_bytes(array.is_valid().cast(pa.uint8())))
        if pa.types.is_list(array.type):
            lengths.update(_bytes(pc.fill_null(pc.list_value_length(array), 0)))
            self._inner[0].update(array.flatten())
        elif _is_struct(array.type):
            for digest, child in zip(self._inner, array.flatten(), strict=True):
                digest.update(usual(child))
        elif pa.types.is_string(array.type):
            array = pc.fill_null(array, "")
            lengths.update(_bytes(pc.binary_length(array)))
            values.update(_text_bytes(array))
        elif not pa.types.is_null(array.type):
            width = {8: pa.uint8(), 16: pa.uint16(), 32: pa.uint32(), 64: pa.uint64()}.get(
                1 if pa.types.is_boolean(array.type) else array.type.bit_width
            )
            plain = array.cast(pa.uint8()) if width is None else array.view(width)
            values.update(_bytes(pc.fill_null(plain, 0)))

    def hexdigest(self) -> str:
        inner = " ".join(each.hexdigest() for each in self._inner)
        return " ".join([*(part.hexdigest() for part in self._parts), inner])


def _is_struct(kind: pa.DataType) -> bool:
    return bool(pa.types.is_struct(kind))


def _bytes(array: pa.Array) -> bytes:
    values: np.ndarray[Any, Any] = array.to_numpy(zero_copy_only=False)
    return values.tobytes()


def _text_bytes(array: pa.Array) -> bytes:
    _, offsets, data = array.buffers()
    if data is None or len(array) == 0:
        return b""
    ends = np.frombuffer(offsets, np.int32)
    return memoryview(data)[int(ends[array.offset]) : int(ends[array.offset + len(array)])].tobytes()
