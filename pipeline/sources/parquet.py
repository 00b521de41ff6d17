"""A folder of Parquet tables, a folder a day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.days import Day
from pipeline.errors import SourceError, UsageError
from pipeline.sources.base import Reading, Source

DONE = "_SUCCESS"
"""The empty file that marks a day's folder as complete."""


class ParquetSource(Source):
    """``FOLDER/<source>/day=YYYY-MM-DD/*.parquet``, or ``FOLDER/<source>/*.parquet`` for an undated table.

    A column may carry a family prefix, such as ``context:is_click``. A column ``day`` that the files lack is the
    partition's own day.
    """

    def __init__(self, url: str, variable: str) -> None:
        super().__init__(url, variable)
        folder = url.partition(":")[2].removeprefix("//")
        if not folder:
            raise UsageError(f"{variable}: '{url}' names no folder; write parquet:FOLDER")
        self.folder = Path(folder)

    def check(self) -> None:
        if not self.folder.is_dir():
            raise SourceError(
                f"{self.url}: no such folder; fill it (for example `python -m examples.school --target {self.url} …`) "
                f"or set {self.variable} to the folder of the tables"
            )

    def read(self, source: str, columns: Sequence[str], day: Day | None, *, chunk_rows: int) -> Reading:
        files = self._files(source, day)
        names = [_names(path) for path in files]
        # A column that only some files have is there: the rows of the others read as missing.
        missing = tuple(
            name for name in columns
            if not any(_find(name, each) for each in names) and not (name == "day" and day is not None and files)
        )  # fmt: skip
        present = [name for name in columns if name not in missing]
        return Reading(missing, self._stream(files, names, present, day, chunk_rows))

    def _stream(
        self, files: list[Path], names: list[list[str]], columns: list[str], day: Day | None, chunk_rows: int
    ) -> Iterator[pa.RecordBatch]:
        for path, here in zip(files, names, strict=True):
            own = {name: found for name in columns if (found := _find(name, here)) is not None}
            try:
                # Pre-buffering keeps the whole file in memory while it is read.
                with pq.ParquetFile(path, pre_buffer=False) as file:
                    for batch in file.iter_batches(chunk_rows, columns=list(own.values()), use_threads=False):
                        yield _named(batch, own, columns, day)
            except (pa.ArrowException, OSError) as error:
                raise SourceError(f"{path}: cannot be read as Parquet: {error}; write the file again") from None

    def count(self, source: str, day: Day | None) -> int:
        return sum(_rows(path) for path in self._files(source, day))

    def has_rows(self, source: str, day: Day | None) -> bool:
        return any(_rows(path) for path in self._files(source, day))

    def is_marked(self, source: str, day: Day) -> bool:
        return (self._table(source) / f"day={day}" / DONE).is_file()

    def version(self, source: str) -> str | None:
        """What the file system says of an undated table's files."""
        found = [(path, path.stat()) for path in self._files(source, None)]
        return " ".join(f"{path.resolve()} {each.st_ino}.{each.st_size}.{each.st_mtime_ns}" for path, each in found)

    def _table(self, source: str) -> Path:
        self.check()
        folder = self.folder / source
        if not folder.is_dir():
            known = ", ".join(sorted(each.name for each in self.folder.iterdir() if each.is_dir())) or "none"
            raise SourceError(
                f"{self.url}: no table folder '{folder}', though a table of the job names `source: {source}`; "
                f"there are: {known}"
            )
        return folder

    def _files(self, source: str, day: Day | None) -> list[Path]:
        """The table's files, or those of its day; none where the day has no folder."""
        table = self._table(source)
        if day is not None:
            files = sorted((table / f"day={day}").glob("*.parquet"))
            if not files and not any(table.glob("day=*")) and any(table.glob("*.parquet")):
                raise SourceError(
                    f"{table}: has files but no folders day=YYYY-MM-DD, though the job reads it by day; "
                    "write it in day partitions, or declare the table `dated: false`"
                )
        else:
            files = sorted(table.glob("*.parquet"))
            if not files:
                raise SourceError(
                    f"{table}: no *.parquet file in it; write the table there, or declare it `dated: true` "
                    "if it is kept in folders day=YYYY-MM-DD"
                )
        return [path for path in files if not path.name.startswith((".", "_"))]


def _names(path: Path) -> list[str]:
    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path}: cannot be read as Parquet: {error}; write the file again") from None


def _rows(path: Path) -> int:
    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path}: cannot be read as Parquet: {error}; write the file again") from None


def _find(name: str, names: list[str]) -> str | None:
    """The file's name of a column: the same, or the same behind a family prefix."""
    if name in names:
        return name
    return next((each for each in names if each.rpartition(":")[2] == name), None)


def _named(batch: pa.RecordBatch, own: dict[str, str], columns: list[str], day: Day | None) -> pa.RecordBatch:
    arrays = []
    for name in columns:
        if name in own:
            arrays.append(batch.column(own[name]))
        elif name == "day" and day is not None:
            arrays.append(pa.array([str(day)] * batch.num_rows, pa.string()))
        else:
            arrays.append(pa.nulls(batch.num_rows))
    return pa.RecordBatch.from_arrays(arrays, columns)
