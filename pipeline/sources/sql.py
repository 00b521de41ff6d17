"""Tables of a SQL database, through the statements of ``sql/queries/``: embedded SQLite, and MySQL."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from pipeline.days import Day
from pipeline.errors import SourceError, UsageError
from pipeline.sources.base import Reading, Source, secret_of

QUERIES = Path(__file__).resolve().parents[2] / "sql" / "queries"
_MARKER = re.compile(r"^--\s*marker:\s*(\S+)\s*$", re.MULTILINE)
_NOT_THERE = re.compile(
    r"no such (table|column): (\S+)|(Table) '([^']+)' doesn't exist|Unknown (column) '([^']+)'", re.IGNORECASE
)


class SqlSource(Source):
    """A database behind a SQLAlchemy URL.

    A table is what the statement ``<queries>/<source>.sql`` selects, with ``:day`` (``YYYY-MM-DD``) for a dated one.
    A line ``-- marker: NAME`` in it names the table whose rows of ``day_ready`` mark a day as complete; without one,
    the source's own name. SQLite files are opened read-only and never made.
    """

    def __init__(self, url: str, variable: str, queries: Path = QUERIES) -> None:
        super().__init__(url, variable)
        self._secret = secret_of(url)
        self._queries = queries
        self._file: Path | None = None
        self._statements: dict[str, tuple[str, str]] = {}
        try:
            if url.startswith("sqlite"):
                name = url.partition("?")[0].partition(":///")[2]
                if not name or name == ":memory:":
                    raise UsageError(f"{variable}: '{self.url}' names no file; write sqlite:///FILE")
                self._file = Path(name)
                self._engine: Engine = create_engine("sqlite://", creator=self._open_file, poolclass=NullPool)
            else:
                self._engine = create_engine(url, pool_pre_ping=True, pool_size=2)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
            raise UsageError(f"{variable}: '{self.url}' is not a database URL: {self._clean(error)}") from None

    def check(self) -> None:
        # SQLite opens a file without looking into it.
        statement = "SELECT 1" if self._file is None else "SELECT COUNT(*) FROM sqlite_master"
        with self._connect(None) as connection:
            connection.execute(text(statement)).fetchall()

    def read(self, source: str, columns: Sequence[str], day: Day | None, *, chunk_rows: int) -> Reading:
        statement = self._statement(source)
        batches = self._stream(source, statement, columns, day, chunk_rows)
        missing = next(batches)
        assert isinstance(missing, tuple)
        return Reading(missing, (batch for batch in batches if isinstance(batch, pa.RecordBatch)))

    def _stream(
        self, source: str, statement: str, columns: Sequence[str], day: Day | None, chunk_rows: int
    ) -> Iterator[tuple[str, ...] | pa.RecordBatch]:
        """First the columns that are not there, then the chunks."""
        with self._connect(source) as connection:
            options = connection.execution_options(stream_results=True, max_row_buffer=chunk_rows)
            result = options.execute(text(statement), _parameters(statement, day))
            place = {name.rpartition(":")[2]: index for index, name in enumerate(result.keys())}
            present = [name for name in columns if name in place]
            yield tuple(name for name in columns if name not in place)
            picked = [place[name] for name in present]
            while rows := result.fetchmany(chunk_rows):
                values = list(zip(*rows, strict=True))
                del rows
                yield pa.RecordBatch.from_arrays([_array(values[index]) for index in picked], present)

    def count(self, source: str, day: Day | None) -> int:
        counted = f"SELECT COUNT(*) FROM ({self._statement(source)}) AS counted"
        with self._connect(source) as connection:
            return int(connection.execute(text(counted), _parameters(counted, day)).scalar_one())

    def has_rows(self, source: str, day: Day | None) -> bool:
        statement = f"SELECT 1 FROM ({self._statement(source)}) AS found LIMIT 1"
        with self._connect(source) as connection:
            return connection.execute(text(statement), _parameters(statement, day)).first() is not None

    def is_marked(self, source: str, day: Day) -> bool:
        self._statement(source)
        marker = self._statements[source][1]
        with self._connect("day_ready") as connection:
            found = connection.execute(text(self._statement("day_ready")), {"table_name": marker, "day": str(day)})
            return found.first() is not None

    def version(self, source: str) -> str | None:
        """For SQLite, what the file system says of the file and its journal."""
        if self._file is None:
            return None
        marks = []
        for path in (self._file, self._file.with_name(self._file.name + "-wal")):
            try:
                found = path.stat()
                marks.append(f"{found.st_ino}.{found.st_size}.{found.st_mtime_ns}")
            except FileNotFoundError:
                marks.append("-")
        return f"{self._file.resolve()} {' '.join(marks)} {self._statement(source)}"

    def close(self) -> None:
        self._engine.dispose()

    def _open_file(self) -> sqlite3.Connection:
        assert self._file is not None
        uri = f"file:{quote(str(self._file.absolute()))}?mode=ro"
        return sqlite3.connect(uri, uri=True, timeout=60, check_same_thread=False)

    def _statement(self, source: str) -> str:
        if source not in self._statements:
            path = self._queries / f"{source}.sql"
            try:
                written = path.read_text(encoding="utf-8")
            except FileNotFoundError:
                known = ", ".join(sorted(each.stem for each in self._queries.glob("*.sql"))) or "none"
                raise SourceError(
                    f"{path}: no such query, though a table of the job names `source: {source}`; "
                    f"write it, or name one of: {known}"
                ) from None
            marker = _MARKER.search(written)
            bare = "\n".join(line for line in written.splitlines() if not line.lstrip().startswith("--"))
            self._statements[source] = (bare.strip().rstrip(";"), marker[1] if marker else source)
        return self._statements[source][0]

    @contextmanager
    def _connect(self, source: str | None) -> Iterator[Connection]:
        if self._file is not None and not self._file.is_file():
            raise SourceError(
                f"{self.url}: no such file; fill it (for example `python -m examples.school --target {self.url} …`) "
                f"or set {self.variable} to the database"
            )
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise self._explain(source, error.orig or error) from None
        except (sqlite3.Error, SQLAlchemyError) as error:
            raise self._explain(source, error) from None
        except Exception as error:
            # While rows stream, drivers raise errors of their own class.
            if type(error).__module__.partition(".")[0] not in ("pymysql", "MySQLdb"):
                raise
            raise self._explain(source, error) from None

    def _explain(self, source: str | None, error: BaseException) -> SourceError:
        where = self.url if source is None else f"{self.url}: {self._queries / f'{source}.sql'}"
        found = _NOT_THERE.search(str(error))
        if found is None:
            return SourceError(f"{where}: the database says: {self._clean(error)}")
        kind, name = [group for group in found.groups() if group]
        if kind.lower() == "table":
            return SourceError(
                f"{where}: the database has no table '{name}'; make it by sql/schema/{name.rpartition('.')[2]}.sql, "
                f"or set {self.variable} to the database that has it"
            )
        return SourceError(
            f"{where}: the database has no column '{name}'; add it to the table, or take it out of the statement "
            "(a declared column that is not required then reads as missing)"
        )

    def _clean(self, error: BaseException) -> str:
        message = " ".join(str(error).split())
        return message.replace(self._secret, "***") if self._secret else message


def _parameters(statement: str, day: Day | None) -> Mapping[str, str]:
    return {"day": str(day)} if day is not None and re.search(r"(?<![:\w]):day\b", statement) else {}


def _array(values: Sequence[Any]) -> pa.Array:
    """One column of a chunk; values of several types become text, as SQLite may hold any in any column."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
