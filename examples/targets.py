"""Where generated and converted tables go: a SQL database, HBase, or a folder of day-partitioned Parquet files."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.days import Day
from pipeline.errors import SourceError, UsageError
from pipeline.storage.urls import mask_url

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from examples.hbase_target import HBaseTarget

SCHEMA = Path(__file__).resolve().parent.parent / "sql" / "schema"
_PARQUET = "parquet:"
_HBASE = "hbase:"
_SQL = ("sqlite:", "mysql")
_INDEX = re.compile(r"CREATE INDEX (\w+)")
# Ids are compared by their bytes, whatever the database's own default is.
_TABLE_SUFFIX = {"mysql": " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"}


class Partitions(Protocol):
    """Rows of some days of a table, written in any order; complete when the block is left without an error."""

    def write(self, day: Day, rows: pa.Table) -> None: ...

    def __enter__(self) -> Partitions: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class AdsTarget(Protocol):
    """Where the tables of the ads job go."""

    def holds(self, table: str) -> bool: ...

    def clear(self, table: str) -> None: ...

    def write_table(self, table: str, rows: pa.Table) -> int: ...

    def partitions(self, table: str, schema: pa.Schema, days: Sequence[Day]) -> Partitions: ...


class SqlTarget:
    """Tables of a database, made from files of DDL where they are missing.

    Args:
        url: ``sqlite:///FILE`` or ``mysql+pymysql://USER:PASSWORD@HOST/DATABASE``; shown without its password.
        ddl: the file of statements for each table that will be written.

    Each call of a writing method is one transaction.
    """

    def __init__(self, url: str, ddl: Sequence[Path]) -> None:
        from sqlalchemy import create_engine, inspect
        from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

        self._url = mask_url(url)
        timeouts = (
            {} if url.startswith("sqlite") else {"connect_timeout": 10, "read_timeout": 600, "write_timeout": 600}
        )
        try:
            self._engine = create_engine(url, connect_args={} if url.startswith("sqlite") else timeouts)
            if self._engine.url.database and self._engine.dialect.name == "sqlite":
                Path(self._engine.url.database).parent.mkdir(parents=True, exist_ok=True)
            known = inspect(self._engine)
            tables = set(known.get_table_names())
            wanted = list(dict.fromkeys([*ddl, SCHEMA / "day_ready.sql"]))
            # A server that stopped half way has the table without its index.
            made = {index["name"] for path in wanted if path.stem in tables for index in known.get_indexes(path.stem)}
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
            raise UsageError(
                f"--target {self._url}: not a database URL; write sqlite:///FILE or "
                "mysql+pymysql://USER:PASSWORD@HOST/DATABASE"
            ) from None
        except (DBAPIError, OSError) as error:
            raise UsageError(f"--target {self._url}: cannot be opened: {getattr(error, 'orig', error)}") from None
        self._mark = "?" if self._engine.dialect.name == "sqlite" else "%s"
        with self._writing("day_ready") as connection:
            for path in wanted:
                for statement in statements(path.read_text(encoding="utf-8")):
                    index = _INDEX.match(statement)
                    if index is not None and index[1] not in made:
                        connection.exec_driver_sql(statement)
                    elif index is None and path.stem not in tables:
                        suffix = _TABLE_SUFFIX.get(self._engine.dialect.name, "")
                        connection.exec_driver_sql(statement + suffix)

    def count(self, table: str) -> int:
        """Rows of a table."""
        with self._engine.connect() as connection:
            return int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one())

    def clear(self, table: str) -> None:
        """Removes all rows of a table, and its marks of days that are complete."""
        with self._writing(table) as connection:
            connection.exec_driver_sql(f"DELETE FROM {table}")
            connection.exec_driver_sql(f"DELETE FROM day_ready WHERE table_name = {self._mark}", (table,))

    def write_table(self, table: str, rows: pa.Table) -> int:
        """Replaces all rows of an undated table."""
        from sqlalchemy import inspect

        # MySQL keeps a table in the order of its key: the fastest to write, and every database then reads it so.
        key = inspect(self._engine).get_pk_constraint(table)["constrained_columns"]
        if key:
            rows = rows.sort_by([(name, "ascending") for name in key])
        with self._writing(table) as connection:
            connection.exec_driver_sql(f"DELETE FROM {table}")
            self._insert(connection, table, rows)
        return rows.num_rows

    def write_day(self, table: str, day: Day, chunks: Iterable[pa.Table]) -> int:
        """Replaces a table's rows of ``day`` and marks the day as complete."""
        written = 0
        with self._writing(table) as connection:
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE day = {self._mark}", (str(day),))
            for rows in chunks:
                self._insert(connection, table, rows)
                written += rows.num_rows
            key = (table, str(day))
            connection.exec_driver_sql(
                f"DELETE FROM day_ready WHERE table_name = {self._mark} AND day = {self._mark}", key
            )
            connection.exec_driver_sql(
                f"INSERT INTO day_ready (table_name, day) VALUES ({self._mark}, {self._mark})", key
            )
        return written

    @contextmanager
    def _writing(self, table: str) -> Iterator[Connection]:
        from sqlalchemy.exc import DBAPIError

        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise SourceError(
                f"--target {self._url}: table {table} cannot be written: {error.orig}. "
                "If it holds other data, give a database of its own"
            ) from None

    def _insert(self, connection: Connection, table: str, rows: pa.Table, step: int = 50_000) -> None:
        names = ", ".join(rows.column_names)
        marks = ", ".join([self._mark] * rows.num_columns)
        for start in range(0, rows.num_rows, step):
            part = rows.slice(start, step)
            values = list(zip(*(column.to_pylist() for column in part.columns), strict=True))
            connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> SqlTarget:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ParquetTarget:
    """A folder of tables: ``<table>/day=YYYY-MM-DD/part-0000.parquet`` and ``_SUCCESS`` when the day is complete.

    Undated tables are ``<table>/part-0000.parquet``. A file appears under its name only when it is whole.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--target {_PARQUET}{folder}: cannot be made: {error.strerror}") from None

    def holds(self, table: str) -> bool:
        """Whether a table has files."""
        return any((self.folder / table).rglob("*.parquet"))

    def clear(self, table: str) -> None:
        """Removes a table's files."""
        shutil.rmtree(self.folder / table, ignore_errors=True)

    def write_table(self, table: str, rows: pa.Table) -> int:
        """Replaces an undated table."""
        return _write_parquet(self.folder / table / "part-0000.parquet", rows.schema, [rows])

    def partitions(self, table: str, schema: pa.Schema, days: Sequence[Day]) -> DayPartitions:
        """Where rows of some days are written to, in any order."""
        return DayPartitions(self, table, schema, days)

    def write_day(self, table: str, day: Day, schema: pa.Schema, chunks: Iterable[pa.Table]) -> int:
        """Replaces a table's partition of ``day``, one row group a chunk, and marks it as complete.

        A day without rows still gets a file, with the columns and no row.
        """
        folder = self.folder / table / f"day={day}"
        done = folder / "_SUCCESS"
        done.unlink(missing_ok=True)
        written = _write_parquet(folder / "part-0000.parquet", schema, chunks)
        done.touch()
        return written


class DayPartitions:
    """Rows of many days in any order, each appended to the partition of its day; memory is that of the open files.

    The partitions appear, and are marked complete, when the block is left without an error.

    Args:
        target: where the table goes.
        table: its name.
        schema: its columns.
        days: the days that will be complete; rows of others are refused.
    """

    def __init__(self, target: ParquetTarget, table: str, schema: pa.Schema, days: Sequence[Day]) -> None:
        self._folder = target.folder / table
        self._schema = schema
        self._days = days
        self._writers: dict[Day, tuple[Path, pq.ParquetWriter]] = {}

    def write(self, day: Day, rows: pa.Table) -> None:
        if day not in self._writers:
            if day not in self._days:
                raise ValueError(f"{day} is not one of the days that are written")
            path = self._folder / f"day={day}" / "part-0000.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "_SUCCESS").unlink(missing_ok=True)
            staged = _staged(path)
            self._writers[day] = (staged, pq.ParquetWriter(staged, self._schema, compression="zstd"))
        self._writers[day][1].write_table(rows)

    def __enter__(self) -> DayPartitions:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            for day in self._days:
                self.write(day, self._schema.empty_table())
        for staged, writer in self._writers.values():
            writer.close()
            if error is None:
                staged.replace(staged.with_name("part-0000.parquet"))
                (staged.parent / "_SUCCESS").touch()
            else:
                staged.unlink(missing_ok=True)


def parse_target(text: str, ddl: Sequence[Path] = ()) -> SqlTarget | ParquetTarget | HBaseTarget:
    """The target written ``sqlite:///FILE``, ``mysql+pymysql://…``, ``hbase://HOST:PORT/`` or ``parquet:FOLDER``.

    Raises ``UsageError`` for any other.
    """
    if text.startswith(_PARQUET) and len(text) > len(_PARQUET):
        return ParquetTarget(Path(text.removeprefix(_PARQUET)))
    if text.startswith(_HBASE):
        from examples.hbase_target import HBaseTarget

        return HBaseTarget(text)
    if text.startswith(_SQL):
        return SqlTarget(text, ddl)
    raise UsageError(
        f"--target '{mask_url(text)}' is not a target; write sqlite:///FILE, "
        "mysql+pymysql://USER:PASSWORD@HOST/DATABASE, hbase://HOST:PORT/ or parquet:FOLDER"
    )


def statements(ddl: str) -> list[str]:
    """The statements of a file of DDL, without its comment lines."""
    bare = "\n".join(line for line in ddl.splitlines() if not line.lstrip().startswith("--"))
    return [statement.strip() for statement in bare.split(";") if statement.strip()]


def _write_parquet(path: Path, schema: pa.Schema, chunks: Iterable[pa.Table]) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = _staged(path)
    written = 0
    try:
        with pq.ParquetWriter(staged, schema, compression="zstd") as writer:
            for rows in chunks:
                writer.write_table(rows)
                written += rows.num_rows
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)
    return written


def _staged(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")
