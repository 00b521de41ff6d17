"""A folder of Parquet tables, a folder a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.days import Day
from pipeline.errors import SourceError, UsageError
from pipeline.sources.base import Contents, Reading, Source
from pipeline.sources.delta_log import refuse_removed
from pipeline.sources.parquet_folders import (
    DataFile,
    day_folders,
    files_of_day,
    files_of_table,
    folders_in,
    no_parquet,
)
from pipeline.storage.physical_types import Unusable, plain

DONE = "_SUCCESS"
"""The empty file that marks a day's folder as complete."""
_LOOKED_INTO = 7
"""Newest folders in which rows are looked for."""


class ParquetSource(Source):
    """``FOLDER/<source>/day=YYYY-MM-DD/…``, or ``FOLDER/<source>/…`` for an undated table (``parquet_folders``).

    A column may carry a family prefix, such as ``context:is_click``. A column that the files lack and a folder names,
    such as ``hour=05``, has the folder's value; ``day`` is the day, whatever its folder is called.
    """

    def __init__(self, url: str, variable: str) -> None:
        super().__init__(url, variable)
        folder = url.partition(":")[2].removeprefix("//")
        if not folder:
            raise UsageError(f"{variable}: '{url}' names no folder; write parquet:FOLDER")
        self.folder = Path(folder)

    def check(self) -> None:
        if not _is_folder(self.folder):
            raise SourceError(
                f"{self.url}: no such folder; fill it (for example `python -m examples.school --target {self.url} …`) "
                f"or set {self.variable} to the folder of the tables"
            )

    def read(self, source: str, columns: Sequence[str], day: Day | None, *, chunk_rows: int) -> Reading:
        files = self._files(source, day)
        names = [_names(file.path) for file in files]
        # A column that only some files have is there: the rows of the others read as missing.
        missing = tuple(
            name for name in columns
            if not any(_find(name, each) or name.casefold() in file.values
                       for each, file in zip(names, files, strict=True))
            and not (name == "day" and day is not None and files)
        )  # fmt: skip
        present = [name for name in columns if name not in missing]
        others = {each.rpartition(":")[2] for here in names for each in here} - set(columns)
        return Reading(missing, self._stream(files, names, present, day, chunk_rows), tuple(sorted(others)))

    def _stream(
        self, files: list[DataFile], names: list[list[str]], columns: list[str], day: Day | None, chunk_rows: int
    ) -> Iterator[pa.RecordBatch]:
        for each, here in zip(files, names, strict=True):
            own = {name: found for name in columns if (found := _find(name, here)) is not None}
            values = each.values if day is None else {"day": str(day), **each.values}
            try:
                # Pre-buffering keeps the whole file in memory while it is read.
                with pq.ParquetFile(each.path, pre_buffer=False, coerce_int96_timestamp_unit="us") as file:
                    _refuse_unusable(each.path, file.schema_arrow, own.values())
                    instants = _instants(file)
                    for batch in file.iter_batches(chunk_rows, columns=list(own.values()), use_threads=False):
                        yield _named(_in_utc(batch, instants), own, columns, values)
            except (pa.ArrowException, OSError) as error:
                raise no_parquet(each.path, error) from None

    def count(self, source: str, day: Day | None) -> int:
        return sum(_rows(file.path) for file in self._files(source, day))

    def has_rows(self, source: str, day: Day | None) -> bool:
        return any(_rows(file.path) for file in self._files(source, day))

    def is_marked(self, source: str, day: Day) -> bool:
        """By the marker in the day's folder itself: that of one of its hours says nothing of the day."""
        folders = [each for each in day_folders(self._table(source)) if each.day == day]
        return bool(folders) and all(not each.time and (each.path / DONE).is_file() for each in folders)

    def contents(self, source: str, columns: Sequence[str], *, dated: bool) -> Contents:
        days = sorted({folder.day for folder in day_folders(self._table(source))}) if dated else []
        # The newest folder may be there before its rows.
        for day in reversed(days[-_LOOKED_INTO:]) if dated else [None]:
            files = self._files(source, day)
            rows = sum(_rows(file.path) for file in files)
            if rows:
                found = self.read(source, columns, day, chunk_rows=1)
                first = days[0] if days else None
                known = len(days) if dated else None
                return Contents(True, known, first, day, rows, len(files), found.missing, found.others)
        return Contents(False, len(days) if dated else None, days[0] if days else None)

    def version(self, source: str) -> str | None:
        """What the file system says of an undated table's files."""
        found = [(file.path, file.path.stat()) for file in self._files(source, None)]
        return " ".join(f"{path.resolve()} {each.st_ino}.{each.st_size}.{each.st_mtime_ns}" for path, each in found)

    def _table(self, source: str) -> Path:
        self.check()
        folder = self.folder / source
        if not _is_folder(folder):
            known = ", ".join(each.name for each in folders_in(self.folder)) or "none"
            raise SourceError(
                f"{self.url}: no table folder '{folder}', though a table of the job names `source: {source}`; "
                f"there are: {known}"
            )
        return folder

    def _files(self, source: str, day: Day | None) -> list[DataFile]:
        """The table's files, or those of its day; none where the day has no folder."""
        table = self._table(source)
        if day is None:
            files = files_of_table(table)
        else:
            files = [file for folder in day_folders(table) if folder.day == day for file in files_of_day(folder)]
        refuse_removed(table, [file.path for file in files])
        return files


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        said = error.strerror or error
        raise SourceError(f"{path}: cannot be looked at: {said}; let the pipeline's user enter {path.parent}") from None


def _names(path: Path) -> list[str]:
    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise no_parquet(path, error) from None


def _rows(path: Path) -> int:
    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise no_parquet(path, error) from None


def _refuse_unusable(path: Path, schema: pa.Schema, columns: Iterable[str]) -> None:
    for name in columns:
        try:
            plain(pa.nulls(0, schema.field(name).type))
        except Unusable as error:
            raise SourceError(f"{path}: column '{name}' {error}") from None


def _instants(file: pq.ParquetFile) -> set[str]:
    """Columns of the type INT96, which Spark and Hive write instants in, in UTC; Arrow says what its own are."""
    if b"ARROW:schema" in (file.metadata.metadata or {}):
        return set()
    columns = [file.schema.column(place) for place in range(len(file.schema))]
    return {each.path for each in columns if each.physical_type == "INT96"}


def _in_utc(batch: pa.RecordBatch, instants: set[str]) -> pa.RecordBatch:
    for place, name in enumerate(batch.schema.names):
        if name in instants:
            batch = batch.set_column(place, name, pc.assume_timezone(batch.column(place), "UTC"))
    return batch


def _find(name: str, names: list[str]) -> str | None:
    """The file's name of a column: the same, or the same behind a family prefix."""
    if name in names:
        return name
    return next((each for each in names if each.rpartition(":")[2] == name), None)


def _named(
    batch: pa.RecordBatch, own: dict[str, str], columns: list[str], values: Mapping[str, str | None]
) -> pa.RecordBatch:
    arrays = []
    for name in columns:
        if name in own:
            arrays.append(batch.column(own[name]))
        elif (value := values.get(name.casefold())) is not None:
            arrays.append(pa.array([value] * batch.num_rows, pa.string()))
        else:
            arrays.append(pa.nulls(batch.num_rows))
    return pa.RecordBatch.from_arrays(arrays, columns)
