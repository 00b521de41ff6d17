"""A table written piece by piece to CSV or Parquet, there as a whole or not at all."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from pipeline.errors import DataError, UsageError
from pipeline.storage.files import disk_errors, fsync_file

_KINDS = (".csv", ".parquet")


class RowsOut:
    """Takes pieces of one shape; ``commit`` puts the file in its place, and without it nothing is left.

    Args:
        path: ends in ``.csv`` or ``.parquet``.

    Raises:
        UsageError: the name ends otherwise, or its folder is not there.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix not in _KINDS:
            raise UsageError(f"--output {path}: end its name in .csv or .parquet")
        if not path.parent.is_dir():
            raise UsageError(f"--output {path}: there is no folder {path.parent}")
        self.path = path
        self.rows = 0
        self._begun = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp")
        self._schema: pa.Schema | None = None
        self._writer: pq.ParquetWriter | pa_csv.CSVWriter | None = None

    def write(self, piece: pa.Table) -> None:
        """Raises ``DataError`` where a column does not fit what came before, or the kind of file."""
        with disk_errors(self.path):
            if self._schema is None:
                self._begin(piece)
            try:
                piece = piece.cast(self._schema)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
                raise DataError(f"{self.path}: rows of other columns than before: {error}") from None
            assert self._writer is not None
            self._writer.write_table(piece)
            self.rows += piece.num_rows

    def commit(self) -> None:
        """Put the file in its place; one of no rows has to be begun by an empty piece."""
        with disk_errors(self.path):
            self._close()
            fsync_file(self._begun)
            self._begun.replace(self.path)

    def __enter__(self) -> RowsOut:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        self._begun.unlink(missing_ok=True)

    def _begin(self, piece: pa.Table) -> None:
        plain = [pa.field(each.name, _plain(each.type)) for each in piece.schema]
        nested = [each.name for each in plain if pa.types.is_nested(each.type)]
        if nested and self.path.suffix == ".csv":
            raise UsageError(f"--output {self.path}: {', '.join(nested)} hold lists; write .parquet, or leave them out")
        self._schema = pa.schema(plain)
        if self.path.suffix == ".csv":
            self._writer = pa_csv.CSVWriter(self._begun, self._schema)
        else:
            self._writer = pq.ParquetWriter(self._begun, self._schema, compression="zstd")

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _plain(kind: pa.DataType) -> pa.DataType:
    """Without the dictionary, which differs from piece to piece; a column without a value so far is text."""
    if pa.types.is_dictionary(kind):
        return kind.value_type
    return pa.string() if pa.types.is_null(kind) else kind
