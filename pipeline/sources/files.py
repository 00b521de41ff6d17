"""A folder of tables that are files: text with a delimiter, or Parquet, the day of a row in one of its columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config.tables import Table, TextFiles
from pipeline.days import Day
from pipeline.errors import SourceError, SourceInterrupted, UsageError
from pipeline.sources.base import Contents, Reading, Source
from pipeline.sources.days_of_rows import days_of
from pipeline.sources.table_file import TableFile, kinds, table_file


class _Stamp(NamedTuple):
    """What changes whenever a file does."""

    inode: int
    size: int
    changed: int


class FileSource(Source):
    """``FOLDER/<source>.csv`` (``.tsv``, ``.txt``, ``.parquet``; text may be packed), or a folder of that name of such.

    A dated table is read by its ``day`` column, which costs one pass over a file and then a pass a day: what is large
    is better kept in day folders (``parquet:``). There are no markers: a day is taken by ``unchanged_minutes`` or after
    its deadline.

    Args:
        tables: of the job; they say which column is the day, and how text is written (``text``).
    """

    def __init__(self, url: str, variable: str, tables: Mapping[str, Table]) -> None:
        super().__init__(url, variable)
        folder = url.partition(":")[2].removeprefix("//")
        if not folder:
            raise UsageError(f"{variable}: '{url}' names no folder; write files:FOLDER")
        self.folder = Path(folder)
        self._tables = {source: table for table in tables.values() for source in table.all_sources}
        self._days: dict[Path, tuple[_Stamp, NDArray[np.int32]]] = {}

    def check(self) -> None:
        if not self.folder.is_dir():
            raise SourceError(f"{self.url}: no such folder; set {self.variable} to the folder of the tables' files")

    def read(self, source: str, columns: Sequence[str], day: Day | None, *, chunk_rows: int) -> Reading:
        files = self._files(source)
        there = {name for file in files for name in file.names}
        missing = tuple(name for name in columns if name not in there)
        present = [name for name in columns if name in there]
        others = tuple(sorted(there - set(columns)))
        return Reading(missing, self._stream(files, source, present, day, chunk_rows), others)

    def _stream(
        self, files: Sequence[TableFile], source: str, columns: list[str], day: Day | None, chunk_rows: int
    ) -> Iterator[pa.RecordBatch]:
        for file in files:
            here = None if day is None else self._days_of(source, file) == day.ordinal
            if here is not None and not here.any():
                continue
            start = 0
            for batch in file.batches([name for name in columns if name in file.names], chunk_rows):
                rows = batch.num_rows
                if here is not None and start + rows > len(here):
                    raise SourceInterrupted(f"{file.path}: changed while it was read")
                if here is not None:
                    batch = batch.filter(pa.array(here[start : start + rows]))
                start += rows
                if batch.num_rows:
                    yield _with_all(batch, columns)

    def count(self, source: str, day: Day | None) -> int:
        if day is None:
            return sum(each.num_rows for file in self._files(source) for each in file.batches(file.names[:1], 1 << 16))
        return sum(int((self._days_of(source, file) == day.ordinal).sum()) for file in self._files(source))

    def has_rows(self, source: str, day: Day | None) -> bool:
        return self.count(source, day) > 0

    def is_marked(self, source: str, day: Day) -> bool:
        return False

    def contents(self, source: str, columns: Sequence[str], *, dated: bool) -> Contents:
        files = self._files(source)
        reading = self.read(source, columns, None, chunk_rows=1)
        missing, others = reading.missing, reading.others
        if not dated:
            rows = self.count(source, None)
            return Contents(rows > 0, None, None, None, rows, len(files), missing, others)
        ordinals = np.concatenate([self._days_of(source, file) for file in files])
        if not len(ordinals):
            return Contents(False, 0, missing=missing, others=others)
        known = np.unique(ordinals)
        rows = int((ordinals == known[-1]).sum())
        first, last = (Day(int(each)) for each in known[[0, -1]])
        return Contents(True, len(known), first, last, rows, len(files), missing, others)

    def version(self, source: str) -> str | None:
        paths = [file.path for file in self._files(source)]
        return " ".join(f"{path.resolve()} {'.'.join(map(str, _stamp(path)))}" for path in paths)

    def _days_of(self, source: str, file: TableFile) -> NDArray[np.int32]:
        """The day of each row of a file, as ordinals; kept until the file changes."""
        stamp = _stamp(file.path)
        known = self._days.get(file.path)
        if known is None or known[0] != stamp:
            table = self._tables.get(source)
            if table is None or table.day is None:
                raise SourceError(
                    f"{file.path}: the job reads it by day, but its table declares no `day:`, the column that says of "
                    "which day a row is; declare it, or the table as `dated: false`"
                )
            name = table.columns[table.day].source or table.day
            if name not in file.names:
                raise SourceError(f"{file.path}: has no column '{name}', the table's day; only {', '.join(file.names)}")
            known = self._days[file.path] = (stamp, days_of(file, name))
        return known[1]

    def _files(self, source: str) -> list[TableFile]:
        self.check()
        table = self._tables.get(source)
        form = table.text if table is not None else TextFiles()
        beside = [path for path in sorted(self.folder.iterdir()) if path.is_file() and kinds(path, source)]
        folder = self.folder / source
        inside = sorted(path for path in folder.rglob("*") if path.is_file() and _shown(path.relative_to(folder)))
        found = beside + [path for path in inside if kinds(path)]
        if beside and inside:
            raise SourceError(f"{beside[0]} and {folder}: both are called '{source}'; keep the right one")
        if len(beside) > 1:
            raise SourceError(f"{' and '.join(map(str, beside))}: all are called '{source}'; keep the right one")
        if not found:
            known = ", ".join(sorted(each.name for each in self.folder.iterdir() if _shown(Path(each.name))))
            raise SourceError(
                f"{self.url}: no file {source}.csv (.tsv, .txt, .parquet, .csv.gz …) and no folder '{source}' of such, "
                f"though a table of the job names `source: {source}`; there are: {known or 'none'}"
            )
        return [table_file(path, form) for path in found]


def _shown(path: Path) -> bool:
    return not any(part.startswith((".", "_")) for part in path.parts)


def _stamp(path: Path) -> _Stamp:
    found = path.stat()
    return _Stamp(found.st_ino, found.st_size, found.st_mtime_ns)


def _with_all(batch: pa.RecordBatch, columns: Sequence[str]) -> pa.RecordBatch:
    """Columns that other files of the table have read as missing."""
    arrays = [batch.column(name) if name in batch.schema.names else pa.nulls(batch.num_rows) for name in columns]
    return pa.RecordBatch.from_arrays(arrays, list(columns))
