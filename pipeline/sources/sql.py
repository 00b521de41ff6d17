"""Tables of a SQL database, through the statements of ``sql/queries/``: what SQLite and MySQL have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from pipeline.days import Day
from pipeline.errors import SourceError, SourceInterrupted, UsageError
from pipeline.sources.base import Contents, Source
from pipeline.sources.statements import Statements
from pipeline.storage.urls import secrets_of

_NO_DAY = Day.of(1970, 1, 1)
"""A day that a table is asked for where only its columns matter."""


class SqlSource(Source):
    """A database behind a SQLAlchemy URL; a table is what the statement ``<queries>/<source>.sql`` selects.

    Args:
        url: with a password or without; it is shown in no message.
        variable: what the URL was given in, for messages.
        queries: the folder of the statements (default: ``DAYSPRING_SQL``, then the project's).
    """

    def __init__(self, url: str, variable: str, queries: Path | None = None) -> None:
        super().__init__(url, variable)
        self.statements = Statements(queries)
        self._secrets = secrets_of(url)
        self._engine = self._open(url)

    @abstractmethod
    def _open(self, url: str) -> Engine:
        """The engine of a URL, with nothing connected yet; ``UsageError`` where it is none."""

    @abstractmethod
    def _explain(self, source: str | None, error: BaseException) -> SourceError:
        """What a driver's error means, and what to do."""

    def count(self, source: str, day: Day | None) -> int:
        counted = f"SELECT COUNT(*) FROM ({self.statements.get(source).text}) AS counted"
        with self._connect(source) as connection:
            return int(connection.execute(text(counted), self._parameters(source, day)).scalar_one())

    def has_rows(self, source: str, day: Day | None) -> bool:
        found = f"SELECT 1 FROM ({self.statements.get(source).text}) AS found LIMIT 1"
        with self._connect(source) as connection:
            return connection.execute(text(found), self._parameters(source, day)).first() is not None

    def contents(self, source: str, columns: Sequence[str], *, dated: bool) -> Contents:
        """By the index of the day, which the schema has."""
        if not dated:
            missing, others = self._columns(source, columns, None)
            rows = self.count(source, None)
            return Contents(rows > 0, rows=rows, missing=missing, others=others)
        missing, others = self._columns(source, columns, _NO_DAY)
        try:
            first, last, days = self._span(source)
        except SourceInterrupted:
            raise
        except SourceError:  # what the statement gives does not hold the column by which it finds a day
            return Contents(True, missing=missing, others=others)
        if last is None:
            return Contents(bool(days), days, missing=missing, others=others)
        return Contents(True, days, first, last, self.count(source, last), missing=missing, others=others)

    def _columns(
        self, source: str, columns: Sequence[str], day: Day | None
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Those that are not there, and those that were not asked for."""
        reading = self.read(source, columns, day, chunk_rows=1)
        return reading.missing, reading.others

    def _span(self, source: str) -> tuple[Day | None, Day | None, int]:
        """The first and the last day, and how many there are."""
        every = self.statements.get(source).of_all_days
        if every is None:
            raise SourceError(f"{self._where(source)}: compares no plain column with :day")
        spans = f"SELECT MIN({every[1]}), MAX({every[1]}), COUNT(DISTINCT {every[1]}) FROM ({every[0]}) AS spans"
        with self._connect(source) as connection:
            first, last, days = connection.execute(text(spans)).one()
        return _day_of(first), _day_of(last), int(days)

    def is_marked(self, source: str, day: Day) -> bool:
        marks = self.statements.get("day_ready")
        wanted = {"table_name": self.statements.get(source).marker, "day": str(day)}
        with self._connect("day_ready") as connection:
            return connection.execute(text(marks.text), wanted).first() is not None

    def close(self) -> None:
        self._engine.dispose()

    def _parameters(self, source: str, day: Day | None) -> Mapping[str, str]:
        return self.statements.get(source).parameters(day)

    def _connect(self, source: str | None) -> AbstractContextManager[Connection]:
        """A connection for the length of a block, in which drivers' errors become ``SourceError``."""
        return self._connected(source)

    @contextmanager
    def _connected(self, source: str | None) -> Iterator[Connection]:
        with self._explained(source), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _explained(self, source: str | None) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._explain(source, error.orig or error) from None
        except SQLAlchemyError as error:
            raise self._explain(source, error) from None

    def _where(self, source: str | None) -> str:
        return self.url if source is None else f"{self.url}: {self.statements.path(source)}"

    def _no_table(self, source: str | None, name: str) -> SourceError:
        name = name.rpartition(".")[2]
        return SourceError(
            f"{self._where(source)}: the database has no table '{name}'; make it by sql/schema/{name}.sql, "
            f"or set {self.variable} to the database that has it"
        )

    def _no_column(self, source: str | None, name: str) -> SourceError:
        return SourceError(
            f"{self._where(source)}: the database has no column '{name}'; add it to the table, or take it out of the "
            "statement (a declared column that is not required then reads as missing)"
        )

    def _in_words(self, source: str | None, error: BaseException, advice: str | None, *, again: bool) -> SourceError:
        """What to do about a driver's error, and its own words; ``again``: it passes, so that a retry may help."""
        said = f"the database says: {self._clean(error)}"
        kind = SourceInterrupted if again else SourceError
        return kind(f"{self._where(source)}: {f'{advice} ({said})' if advice else said}")

    def _clean(self, error: BaseException) -> str:
        """A driver's own message on one line, without the password."""
        message = " ".join(str(error).split())
        for secret in sorted(self._secrets, key=len, reverse=True):
            message = message.replace(secret, "***")
        return message


def _day_of(value: object) -> Day | None:
    """The day at the beginning of what a database says, be it a date, a time or a text; ``None`` for anything else."""
    written = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    try:
        return Day.parse(written[:10].replace("/", "-"))
    except UsageError:
        return None
