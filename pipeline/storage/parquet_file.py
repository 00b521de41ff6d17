"""Parquet files of artefacts: pages carry checksums, so damage on the disk is an error, never other rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import CorruptArtifact
from pipeline.storage.physical_types import usual

WRITING: dict[str, Any] = {"compression": "zstd", "write_page_checksum": True, "write_statistics": False}
"""How every file of an artefact is written; least and largest values by group are read by nobody."""
PIECE = 50_000
"""Rows that are worked on together: what they take is small enough to be used again, not asked of the kernel anew."""

_CODED = 4.0
"""Bytes a value below which a column of text is stored as numbers of its distinct values."""


def write(path: Path, rows: pa.Table) -> None:
    """Write a whole table."""
    pq.write_table(rows, path, **WRITING)


def write_pieces(path: Path, pieces: Iterable[pa.RecordBatch]) -> None:
    """Write a table piece by piece, at least one, each of them a group of rows."""
    left = iter(pieces)
    first = next(left)
    with pq.ParquetWriter(path, first.schema, **WRITING) as writer:
        for piece in chain([first], left):
            writer.write_batch(piece)


def pieces_of(rows: pa.Table) -> Iterator[pa.RecordBatch]:
    """A table piece by piece in Arrow's usual layout; one piece without rows where there are none."""
    for piece in rows.to_batches(max_chunksize=PIECE) or [pa.RecordBatch.from_pylist([], rows.schema)]:
        yield pa.RecordBatch.from_arrays([usual(column) for column in piece.columns], piece.schema.names)


def read(path: Path, columns: Sequence[str] | None = None, *, words: bool = False, **options: Any) -> pa.Table:
    """A table, or some columns of it; raises ``CorruptArtifact`` if the file is not as it was written.

    Args:
        words: text as places in a dictionary, as it is stored.
    """
    wanted = None if columns is None else list(columns)
    with _undamaged(path):
        if words:
            options["read_dictionary"] = _texts(pq.read_metadata(path).schema)
        return pq.read_table(path, columns=wanted, use_threads=False, page_checksum_verification=True, **options)


def read_rows(path: Path, first: int, last: int) -> pa.Table:
    """The rows from ``first`` to before ``last``; text as places in a dictionary."""
    with _undamaged(path):
        words = _texts(pq.read_metadata(path).schema)
        with pq.ParquetFile(path, read_dictionary=words, pre_buffer=False, page_checksum_verification=True) as file:
            ends = np.cumsum([file.metadata.row_group(each).num_rows for each in range(file.metadata.num_row_groups)])
            begin = min(int(np.searchsorted(ends, first, "right")), len(ends) - 1)
            groups = range(begin, max(int(np.searchsorted(ends, last)), begin) + 1)
            # One by one: Arrow has no lists of words in several pieces.
            found = pa.concat_tables([file.read_row_group(each, use_threads=False) for each in groups])
    return found.slice(first - int(ends[begin - 1] if begin else 0), last - first)


class StoredTable:
    """A table's file, read piece by piece; raises ``CorruptArtifact`` as ``read`` does.

    Args:
        groups: only these groups of its rows, ascending.

    Attributes:
        groups: those that are read.
        names: of its columns.
        rows: how many it has, in these groups.
    """

    def __init__(self, path: Path, groups: Sequence[int] | None = None) -> None:
        self._path = path
        with self._opened() as file:
            self.groups = list(range(file.metadata.num_row_groups) if groups is None else groups)
            self.names: list[str] = file.schema_arrow.names
            self.rows: int = sum(file.metadata.row_group(each).num_rows for each in self.groups)
            self._coded = _coded(file)

    def of(self, groups: Sequence[int]) -> StoredTable:
        """Only these groups of the file's rows."""
        return StoredTable(self._path, groups)

    def pieces(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows in order; one piece without rows where there are none.

        Text with few distinct values comes with a dictionary of them, in all pieces or in none.
        """
        names = list(columns)
        with self._opened([name for name in names if name in self._coded]) as file:
            if not self.rows:
                yield pa.RecordBatch.from_pylist([], pa.schema([file.schema_arrow.field(name) for name in names]))
            yield from file.iter_batches(PIECE, self.groups, columns=names, use_threads=False)

    def read(self, columns: Sequence[str]) -> pa.Table:
        """All rows of some columns."""
        with self._opened() as file:
            return file.read_row_groups(self.groups, list(columns), use_threads=False)

    @contextmanager
    def _opened(self, coded: Sequence[str] = ()) -> Iterator[pq.ParquetFile]:
        options = {"read_dictionary": coded, "pre_buffer": False, "page_checksum_verification": True}
        with _undamaged(self._path), pq.ParquetFile(self._path, **options) as file:
            yield file


def _coded(file: pq.ParquetFile) -> set[str]:
    """Columns of text that are stored as numbers of their distinct values, as far as their size tells."""
    text = (field.name for field in file.schema_arrow if pa.types.is_string(field.type))
    size = dict.fromkeys(text, 0)
    for group in range(file.metadata.num_row_groups):
        columns = file.metadata.row_group(group)
        for column in (columns.column(place) for place in range(columns.num_columns)):
            if column.path_in_schema in size:
                size[column.path_in_schema] += column.total_uncompressed_size
    return {name for name, stored in size.items() if stored < _CODED * file.metadata.num_rows}


@contextmanager
def _undamaged(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise CorruptArtifact(
            f"{path}: damaged ({error}); delete the folder {path.parent} and run the stage of that day again"
        ) from None


def _texts(schema: pq.ParquetSchema) -> list[str]:
    leaves = [schema.column(place) for place in range(len(schema))]
    return [leaf.path for leaf in leaves if leaf.logical_type.type == "STRING"]
