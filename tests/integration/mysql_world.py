"""A database for a test to fill, the statements over it, and reading it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pymysql
from sqlalchemy import make_url

from pipeline.days import Day
from pipeline.sources.mysql import MySqlSource
from pipeline.sources.mysql_bulk import BulkReader

DAY = Day.of(2024, 3, 4)
READY = "SELECT table_name, day FROM day_ready WHERE table_name = :table_name AND day = :day"
AWKWARD = """CREATE TABLE awkward (
    day VARCHAR(10), big BIGINT, unsigned_big BIGINT UNSIGNED, flag TINYINT(1), padded INT(8) ZEROFILL, made YEAR,
    exact DECIMAL(40, 10), single FLOAT, twofold DOUBLE, date DATE, at DATETIME(3), stamp TIMESTAMP NULL, since TIME,
    word VARCHAR(20), latin VARCHAR(10) CHARACTER SET latin1, long_text TEXT, fixed CHAR(5), one_of ENUM('a', 'b'),
    some_of SET('x', 'y'), document JSON, raw VARBINARY(10), bits BIT(9)
) CHARACTER SET utf8mb4"""
VALUES = {
    "big": -(2**63), "unsigned_big": 2**64 - 1, "flag": 2, "padded": 42, "made": 2024,
    "exact": "123456789012345678901234567890.0123456789", "single": 0.1, "twofold": 0.1 + 0.2, "date": "0000-00-00",
    "at": "0000-00-00 00:00:00.000", "stamp": "2024-03-04 10:00:00Z", "since": "-30:00:01", "word": "𝒳é中 ",
    "latin": "é", "long_text": "a\tb\n", "fixed": "ab", "one_of": "b", "some_of": "x,y", "document": '{"a": 1}',
    "raw": "\\xff\0", "bits": 257,
}  # fmt: skip
"""What the values below must come out as."""
_STORED = {"raw": b"\xff\0", "stamp": "2024-03-04 10:00:00"}
"""What is stored where it is not that."""


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """A cursor of the driver's own, committing each statement."""
    place = make_url(url)
    connection = pymysql.connect(
        host=place.host, port=place.port or 3306, user=place.username, password=place.password or "",
        database=place.database, charset="utf8mb4", autocommit=True, connect_timeout=10, read_timeout=60,
    )  # fmt: skip
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def run(url: str, *statements: str) -> None:
    with connected(url) as cursor:
        for statement in statements:
            cursor.execute(statement)


def write_queries(folder: Path, **statements: str) -> Path:
    """A folder of statements, ``day_ready`` among them."""
    folder.mkdir(exist_ok=True)
    for name, statement in {"day_ready": READY, **statements}.items():
        (folder / f"{name}.sql").write_text(statement, encoding="utf-8")
    return folder


def open_source(url: str, queries: Path, *, least: int | None = None, piece: int = 100_000) -> MySqlSource:
    """A source; long days come by connectorx from ``least`` rows on, never if not given."""
    found = MySqlSource(url, "DAYSPRING_TINY_URL", queries)
    found.bulk = None if least is None else BulkReader.of(found.address, 60, least=least, piece=piece)
    return found


def through(url: str, port: int) -> str:
    """The same database by another port, such as a proxy's."""
    return make_url(url).set(port=port).render_as_string(hide_password=False)


def table(found: MySqlSource, name: str, columns: Sequence[str], day: Day | None = DAY, chunk: int = 1000) -> pa.Table:
    batches = list(found.read(name, columns, day, chunk_rows=chunk).batches)
    assert len({str(batch.schema) for batch in batches}) <= 1, "a column has one type in all chunks"
    return pa.Table.from_batches(batches)


def fill(url: str, rows: int = 30_000) -> None:
    """A table ``log`` with so many rows of the day, and some of the days around it."""
    run(url, "CREATE TABLE log (day VARCHAR(10) NOT NULL, time BIGINT, user VARCHAR(20), x DOUBLE)")
    with connected(url) as cursor:
        cursor.executemany(
            "INSERT INTO log VALUES (%s, %s, %s, %s)",
            [(str(DAY), n // 3, f"u{n * 7919 % 1000}", n / 7) for n in range(rows)]
            + [(str(DAY.plus(by)), n, "other", 0.5) for by in (-1, 1) for n in range(rows // 10)],
        )
        cursor.execute("CREATE INDEX log_day ON log (day, time)")


def make_awkward(url: str) -> None:
    with connected(url) as cursor:
        # Zero dates are what old servers let in.
        cursor.execute("SET sql_mode = '', time_zone = '+00:00'")
        cursor.execute(AWKWARD)
        columns = ", ".join(["day", *VALUES])
        marks = ", ".join(["%s"] * (len(VALUES) + 1))
        stored = [_STORED.get(name, value) for name, value in VALUES.items()]
        cursor.execute(f"INSERT INTO awkward ({columns}) VALUES ({marks})", [str(DAY), *stored])
        cursor.execute("INSERT INTO awkward (day) VALUES (%s)", [str(DAY)])
        cursor.execute(
            "INSERT INTO awkward (day, twofold, date, at, word, raw) VALUES (%s, 1e308, %s, %s, '', 'plain')",
            [str(DAY), "2024-03-04", "2024-03-04 01:02:03.456"],
        )
