"""Tables of a MySQL or MariaDB server."""

from __future__ import annotations

import inspect
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pymysql
from pymysql import MySQLError, ProgrammingError
from pymysql.constants import CR
from pymysql.cursors import SSCursor
from sqlalchemy import Connection, CursorResult, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from pipeline.days import Day
from pipeline.errors import SourceError, SourceInterrupted, UsageError
from pipeline.sources import mysql_errors
from pipeline.sources.base import Reading
from pipeline.sources.mysql_bulk import BulkFailed, BulkReader, Plan
from pipeline.sources.mysql_values import ENCODERS, IN_UTC, from_text
from pipeline.sources.sql import SqlSource
from pipeline.sources.statements import Statement

TIMEOUTS = {"connect_timeout": 10, "read_timeout": 300, "write_timeout": 60}
"""Seconds, where the URL says nothing else."""
_PORT = 3306
_SETTINGS = {*inspect.signature(pymysql.connect).parameters, "ssl_check_hostname"}
"""What a URL may say of the connection; SQLAlchemy gathers the settings of TLS itself."""


class _Rows(SSCursor):
    """A cursor whose rows stay on the server until they are fetched."""

    def close(self) -> None:
        # What is left unread must be read, but there is nobody to read it from once the connection has broken.
        if self.connection is not None and not self.connection.open and self._result is not None:
            self._result.unbuffered_active = False
        super().close()

    def fetchmany(self, size: int | None = None) -> Any:
        # Of itself a closed cursor has no more rows, which would make a short table.
        if self.connection is None:
            raise ProgrammingError("the read was closed by a later one")
        return super().fetchmany(size)


class MySqlSource(SqlSource):
    """``mysql+pymysql://USER:PASSWORD@HOST:PORT/DATABASE``; a user who may only SELECT is enough.

    Rows come by a server-side cursor, as the server's text (``mysql_values``). A long day that is over may come by
    ``connectorx`` instead, equal row for row (``mysql_bulk``). In the URL, ``connect_timeout``, ``read_timeout`` and
    ``write_timeout`` (seconds) are settings; the character set is always utf8mb4.

    Attributes:
        address: the URL with all its settings; it holds the password.
        bulk: reads long days; ``None`` = none are.
        not_in_bulk: days of a table whose reading in bulk failed.
    """

    def __init__(self, url: str, variable: str, queries: Path | None = None) -> None:
        super().__init__(url, variable, queries)
        self.bulk = BulkReader.of(self.address, self._timeouts["read_timeout"])
        self.not_in_bulk: set[tuple[str, Day]] = set()
        self._held: Connection | None = None
        self._streaming: _Rows | None = None

    def _open(self, url: str) -> Engine:
        try:
            parsed = make_url(url)
            self._timeouts = {name: int(str(parsed.query.get(name, usual))) for name, usual in TIMEOUTS.items()}
        except (ArgumentError, ValueError) as error:
            raise UsageError(f"{self.variable}: '{self.url}' is not a database URL: {self._clean(error)}") from None
        if parsed.drivername not in ("mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"):
            raise UsageError(f"{self.variable}: '{self.url}': write mysql+pymysql://USER:PASSWORD@HOST/DATABASE")
        if "@" in (parsed.host or ""):
            raise UsageError(
                f"{self.variable}: '{self.url}': in a user or password @ is written %40, / is %2F and : is %3A"
            )
        unknown = sorted(set(parsed.query) - _SETTINGS)
        if unknown:
            raise UsageError(f"{self.variable}: '{self.url}': the driver has no setting {', '.join(unknown)}")
        if not parsed.host or not parsed.database:
            what = "host" if not parsed.host else "database"
            raise UsageError(
                f"{self.variable}: '{self.url}' names no {what}; write mysql+pymysql://USER:PASSWORD@HOST/DATABASE"
            )
        wanted = {"charset": "utf8mb4", **{name: str(seconds) for name, seconds in self._timeouts.items()}}
        self.address: URL = parsed.set(drivername="mysql+pymysql").update_query_dict(wanted)
        self._server = f"{parsed.host}:{parsed.port or _PORT}"
        # Each statement sees what is committed when it begins; `consistent` opens the one transaction that spans more.
        engine = create_engine(
            self.address, isolation_level="AUTOCOMMIT", pool_pre_ping=True, pool_size=2, pool_reset_on_return=None,
            connect_args={"conv": ENCODERS, "use_unicode": False},
        )  # fmt: skip
        event.listen(engine, "do_connect", _greeted)
        event.listen(engine, "connect", _in_utc)
        return engine

    def check(self) -> None:
        with self._connect(None) as connection:
            connection.execute(text("SELECT 1")).fetchall()

    @contextmanager
    def consistent(self) -> Iterator[None]:
        """All reads in the block see the database as it is now (InnoDB), whatever is written meanwhile.

        One read goes on at a time: the next one ends it.
        """
        with self._explained(None), self._engine.connect() as connection:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            self._held = connection
            try:
                yield
            finally:
                self._held = None
                connection.invalidate()  # ends the transaction, and whatever is still being sent
                self._end_stream()

    def read(self, source: str, columns: Sequence[str], day: Day | None, *, chunk_rows: int) -> Reading:
        statement = self.statements.get(source)
        kinds = self.kinds(source, day)
        present = [name for name in columns if name in kinds]
        missing = tuple(name for name in columns if name not in kinds)
        wanted = {kinds[name][0]: kinds[name][1] for name in present}
        bulk = self.bulk_for(source, day, wanted) if day is not None and present else None
        if day is not None and bulk is not None:
            batches = self._in_bulk(bulk, source, statement, day, wanted, chunk_rows)
        else:
            batches = self._stream(source, day, list(wanted), chunk_rows)
        return Reading(missing, (batch.rename_columns(present) for batch in batches))

    def kinds(self, source: str, day: Day | None) -> dict[str, tuple[str, int]]:
        """By column, without its family prefix: its name in the statement, and its kind."""
        described = f"SELECT * FROM ({self.statements.get(source).text}) AS described LIMIT 0"
        with self._connect(source) as connection:
            fields = _fields(connection.execute(text(described), self._parameters(source, day)))
        return {name.rpartition(":")[2]: (name, kind) for name, kind in fields}

    def _stream(
        self, source: str, day: Day | None, columns: Sequence[str], chunk_rows: int
    ) -> Iterator[pa.RecordBatch]:
        with self._connect(source) as connection:
            driver: Any = connection.connection.driver_connection
            cursor = driver.cursor(_Rows)
            holds_snapshot = self._held is not None
            if holds_snapshot:
                self._streaming = cursor
            try:
                cursor.execute(self.statements.get(source).of_day(day))
                fields = {name: (index, kind) for index, (name, kind, *_) in enumerate(cursor.description)}
                while rows := cursor.fetchmany(chunk_rows):
                    values = list(zip(*rows, strict=True))
                    del rows
                    arrays = [from_text(values[index], kind) for index, kind in (fields[name] for name in columns)]
                    del values
                    yield pa.RecordBatch.from_arrays(arrays, list(columns))
            except BaseException:
                # The rest of a long table is not worth waiting for.
                if not holds_snapshot:
                    connection.invalidate()
                raise
            finally:
                cursor.close()
            self._streaming = None

    def bulk_for(self, source: str, day: Day, kinds: dict[str, int]) -> BulkReader | None:
        """What is to read a day's columns of these kinds by connectorx; ``None`` where they are read as usual."""
        if self.bulk is None or (source, day) in self.not_in_bulk or not self.bulk.reads(kinds.values()):
            return None
        if Day.of_instant(datetime.now(UTC), "UTC") >= day.plus(2):  # over in every time zone
            return self.bulk
        try:
            return self.bulk if self.is_marked(source, day) else None
        except SourceInterrupted:
            raise
        except SourceError:  # a database without a table of marks
            return None

    def _plan(
        self, bulk: BulkReader, source: str, statement: Statement, day: Day, kinds: dict[str, int]
    ) -> Plan | None:
        try:
            with self._connect(source) as connection:
                return bulk.plan(connection, statement, day, kinds)
        except SourceInterrupted:
            raise
        except SourceError as error:  # the day's rows can be read, but not counted as the plan wants it
            raise BulkFailed(str(error)) from error

    def _in_bulk(
        self, bulk: BulkReader, source: str, statement: Statement, day: Day, kinds: dict[str, int], chunk_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """By connectorx; as usual where that fails before the first chunk, later by a new read of everything."""
        begun = False
        try:
            plan = self._plan(bulk, source, statement, day, kinds)
            if plan is not None:
                for batch in bulk.read(plan, chunk_rows):
                    begun = True
                    yield batch
                # Not in the snapshot: what is committed by now.
                with self._connected(source) as connection:
                    bulk.verify(connection, plan)
                return
        except BulkFailed as error:
            self.not_in_bulk.add((source, day))
            what = f"{self._where(source)}: {day} by connectorx: {self._clean(error)}; it is read by pymysql"
            print(what, file=sys.stderr, flush=True)
            if begun:
                raise SourceInterrupted(what) from None
        yield from self._stream(source, day, list(kinds), chunk_rows)

    @contextmanager
    def _connect(self, source: str | None) -> Iterator[Connection]:
        if self._held is None:
            with self._connected(source) as connection:
                yield connection
        else:
            with self._explained(source):
                self._end_stream()
                yield self._held

    @contextmanager
    def _explained(self, source: str | None) -> Iterator[None]:
        try:
            with super()._explained(source):
                yield
        except MySQLError as error:  # of the driver itself, while rows stream
            raise self._explain(source, error) from None

    def _end_stream(self) -> None:
        if self._streaming is not None:
            streaming, self._streaming = self._streaming, None
            streaming.close()

    def _explain(self, source: str | None, error: BaseException) -> SourceError:
        table, column = mysql_errors.missing_table(error), mysql_errors.missing_column(error)
        if table is not None:
            return self._no_table(source, table)
        if column is not None:
            return self._no_column(source, column)
        advice = mysql_errors.advice(
            error, address=self._server, variable=self.variable, read_seconds=self._timeouts["read_timeout"]
        )
        again = mysql_errors.is_lost(error) or mysql_errors.is_passing(error)
        return self._in_words(source, error, advice, again=again)


def _in_utc(connection: Any, _record: object) -> None:
    """A TIMESTAMP is an instant, which a server writes in the session's zone, and each server may have another."""
    with connection.cursor() as cursor:
        cursor.execute(IN_UTC)


def _greeted(_dialect: Any, _record: Any, arguments: Sequence[Any], settings: dict[str, Any]) -> Any:
    """A connection; a server that does not greet as MySQL does is an error of the driver within ``connect_timeout``."""
    seconds = settings["connect_timeout"]
    try:
        connection: Any = pymysql.connect(*arguments, **{**settings, "read_timeout": seconds})
    except MySQLError as error:
        if mysql_errors.code_of(error) == CR.CR_SERVER_LOST and "timed out" in str(error):
            raise mysql_errors.no_greeting(f"within {seconds} s") from None
        raise
    except (IndexError, struct.error, UnicodeError, AssertionError) as error:  # bytes of a server that is none
        raise mysql_errors.no_greeting(f"but bytes that are none ({error})") from None
    connection._read_timeout = settings["read_timeout"]
    return connection


def _fields(result: CursorResult[Any]) -> list[tuple[str, int]]:
    """Names and kinds of the columns of a result."""
    description: Any = result.cursor.description if result.cursor is not None else None
    return [(name, kind) for name, kind, *_ in description or ()]
