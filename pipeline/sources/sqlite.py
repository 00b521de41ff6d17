"""Tables of an SQLite file, the embedded default."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from pipeline.days import Day
from pipeline.errors import SourceError, UsageError
from pipeline.sources import sqlite_errors
from pipeline.sources.base import Reading
from pipeline.sources.sql import SqlSource
from pipeline.storage.physical_types import mixed_values

_BUSY_SECONDS = 60.0
"""How long a lock of another process is waited for."""
_NOT_THERE = re.compile(r"no such (table|column): (\S+)", re.IGNORECASE)


class SqliteSource(SqlSource):
    """``sqlite:///FILE``, opened read-only and never made."""

    def _open(self, url: str) -> Engine:
        name = url.partition("?")[0].partition(":///")[2]
        if not name or name == ":memory:":
            raise UsageError(f"{self.variable}: '{self.url}' names no file; write sqlite:///FILE")
        self._file = Path(name)
        return create_engine("sqlite://", creator=self._open_file, poolclass=NullPool)

    def check(self) -> None:
        # SQLite opens a file without looking into it.
        with self._connect(None) as connection:
            connection.execute(text("SELECT COUNT(*) FROM sqlite_master")).fetchall()

    def read(self, source: str, columns: Sequence[str], day: Day | None, *, chunk_rows: int) -> Reading:
        batches = self._stream(source, columns, day, chunk_rows)
        missing = next(batches)
        assert isinstance(missing, tuple)
        return Reading(missing, (batch for batch in batches if isinstance(batch, pa.RecordBatch)))

    def _stream(
        self, source: str, columns: Sequence[str], day: Day | None, chunk_rows: int
    ) -> Iterator[tuple[str, ...] | pa.RecordBatch]:
        """First the columns that are not there, then the chunks."""
        with self._connect(source) as connection:
            result = connection.execute(text(self.statements.get(source).text), self._parameters(source, day))
            place = {name.rpartition(":")[2]: index for index, name in enumerate(result.keys())}
            present = [name for name in columns if name in place]
            yield tuple(name for name in columns if name not in place)
            picked = [place[name] for name in present]
            while rows := result.fetchmany(chunk_rows):
                values = list(zip(*rows, strict=True))
                del rows
                yield pa.RecordBatch.from_arrays([_array(values[index]) for index in picked], present)

    def version(self, source: str) -> str | None:
        """What the file system says of the file and its journal."""
        marks = []
        for path in (self._file, self._file.with_name(self._file.name + "-wal")):
            try:
                found = path.stat()
                marks.append(f"{found.st_ino}.{found.st_size}.{found.st_mtime_ns}")
            except FileNotFoundError:
                marks.append("-")
        return f"{self._file.resolve()} {' '.join(marks)} {self.statements.get(source).text}"

    def _open_file(self) -> sqlite3.Connection:
        uri = f"file:{quote(str(self._file.absolute()))}?mode=ro"
        return sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, check_same_thread=False)

    @contextmanager
    def _connect(self, source: str | None) -> Iterator[Connection]:
        wrong = sqlite_errors.unopened(self._file)
        if wrong is not None:
            raise SourceError(f"{self.url}: cannot be opened: {wrong}, or correct {self.variable}")
        if not self._file.is_file():
            raise SourceError(
                f"{self.url}: no such file{self._looked_for()}; fill it "
                f"(for example `python -m examples.school --target {self.url} …`) "
                f"or set {self.variable} to the database"
            )
        try:
            with self._connected(source) as connection:
                yield connection
        except sqlite3.Error as error:  # of the driver itself, while rows stream
            raise self._explain(source, error) from None

    def _looked_for(self) -> str:
        """Which file that is, where it is not the one that the URL seems to name."""
        if self._file.is_absolute() and self.url.endswith(str(self._file)):
            return ""
        return f" as {self._file.absolute()} (an absolute path has four slashes, sqlite:////FILE, and no `?`)"

    def _explain(self, source: str | None, error: BaseException) -> SourceError:
        found = _NOT_THERE.search(str(error))
        if found is None:
            advice = sqlite_errors.advice(self._file, error)
            return self._in_words(source, error, advice, again=sqlite_errors.is_passing(error))
        what, name = found.groups()
        return self._no_table(source, name) if what.lower() == "table" else self._no_column(source, name)


def _array(values: Sequence[Any]) -> pa.Array:
    """One column of a chunk; SQLite may hold values of any type in any column, and each stays what it is."""
    if len(set(map(type, values)) - {type(None)}) > 1:
        return mixed_values(values)
    return pa.array(values)
