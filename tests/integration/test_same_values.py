"""The same rows out of every store, each in its own types, become the same validated day."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.tables import Table
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.sources.base import Source
from pipeline.sources.mysql import MySqlSource
from pipeline.sources.open import open_source
from pipeline.sources.sqlite import SqliteSource
from tests.integration import mysql_world
from tests.integration.mysql_world import DAY, connected, write_queries
from tests.services import Database
from tests.unit.pipeline.small_job import config

LOG: dict[str, Any] = {
    "source": "log", "day": "day", "time": "at", "order": ["at", "user"],
    "columns": {
        "day": {"type": "day", "required": True}, "at": {"type": "time"}, "wall": {"type": "time"},
        "since": {"type": "day"}, "user": {"type": "str", "required": True}, "ad": {"type": "int"},
        "price": {"type": "float"}, "tags": {"type": "str_list"},
        "label": {"type": "int", "required": True, "allowed": [0, 1]},
    },
}  # fmt: skip
NOON = datetime(2024, 3, 4, 4, tzinfo=UTC)  # in Shanghai
TAGS: list[Any] = [["a, b", "é"], [], None]
ROWS = [
    (NOON + timedelta(milliseconds=250 * row), 10**11 + row if row else 2**64 - 1, row / 4, TAGS[row % 3], row % 2)
    for row in range(40)
]
"""Time, user, price, tags, label."""
COLUMNS = list(LOG["columns"])
Make = Callable[[Path, Database], Source]


def local(at: datetime) -> datetime:
    """The wall clock in Shanghai."""
    return (at + timedelta(hours=8)).replace(tzinfo=None)


def written(at: datetime, user: int, price: float, tags: Any, label: int) -> tuple[Any, ...]:
    """A row as a database takes it: times as text, lists as JSON."""
    stamp = at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    wall = local(at).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    # Midnight in Shanghai is 16:00 in UTC.
    listed = None if tags is None else json.dumps(tags)
    return (str(DAY), stamp, wall, "2024-01-14 16:00:00", user, 7, price, listed, label)


def sqlite(folder: Path, _: Database) -> Source:
    with sqlite3.connect(folder / "it.db") as base:
        base.execute(f"CREATE TABLE log ({', '.join(COLUMNS)})")
        for number, row in enumerate(ROWS):
            day, at, wall, since, user, ad, *rest = written(*row)
            # Whole numbers, reals and text in one column.
            name = str(user) if user >= 2**63 else float(user) if number % 2 else user
            values = (day, f"{at}+00:00", wall, f"{since}Z", name, float(ad) if number % 3 else ad, *rest)
            base.execute(f"INSERT INTO log VALUES ({', '.join('?' * len(values))})", values)
    base.close()
    return SqliteSource(f"sqlite:///{folder / 'it.db'}", "X", _queries(folder))


def mysql(least: int | None) -> Make:
    def make(folder: Path, database: Database) -> Source:
        with connected(database.writer_url) as cursor:
            cursor.execute("SET time_zone = '+00:00'")
            cursor.execute(
                "CREATE TABLE log (day DATE, at TIMESTAMP(3) NULL, wall DATETIME(6), since TIMESTAMP NULL, "
                "user BIGINT UNSIGNED, ad DECIMAL(20, 4), price DOUBLE, tags JSON, label TINYINT)"
            )
            cursor.executemany(
                f"INSERT INTO log VALUES ({', '.join(['%s'] * len(COLUMNS))})", [written(*row) for row in ROWS]
            )
        return mysql_world.open_source(database.reader_url, _queries(folder), least=least)

    return make


def parquet(native: bool) -> Make:
    def make(folder: Path, _: Database) -> Source:
        at, user, price, tags, label = (list(values) for values in zip(*ROWS, strict=True))
        rows = pa.table({
            "day": pa.array([DAY.date] * len(ROWS)),
            "at": pa.array(at, pa.timestamp("us", "America/New_York")),
            "wall": pa.array([local(each) for each in at], pa.timestamp("ns")),
            "since": pa.array([datetime(2024, 1, 14, 16, tzinfo=UTC)] * len(ROWS), pa.timestamp("ms", "UTC")),
            "user": pa.array(user, pa.uint64()),
            "ad": pa.array([7.0] * len(ROWS), pa.float32()),
            "price": pa.array(price),
            "tags": pa.array(tags, pa.large_list(pa.string())),
            "label": pa.array(label).cast(pa.bool_()),
        })  # fmt: skip
        if not native:  # as in HBase
            rows = pa.table(texts())
        partition = folder / "tables" / "log" / f"day={DAY}"
        partition.mkdir(parents=True)
        half = len(ROWS) // 2
        pq.write_table(rows.slice(0, half), partition / "part-0000.parquet")
        pq.write_table(rows.slice(half), partition / "part-0001.parquet")
        return open_source(f"parquet:{folder / 'tables'}", "X")

    return make


def texts() -> dict[str, list[str | None]]:
    """All of it as text, by column."""
    cells = [[str(each) if each is not None else None for each in written(*row)] for row in ROWS]
    columns: dict[str, list[str | None]] = {
        name: list(values) for name, values in zip(COLUMNS, zip(*cells, strict=True), strict=True)
    }
    columns["at"] = [str(int(at.timestamp() * 1000)) for at, *_ in ROWS]
    columns["since"] = [f"{each}+0000" for each in columns["since"]]
    return columns


def files(folder: Path, _: Database) -> Source:
    columns, folder = texts(), folder / "files"
    folder.mkdir()
    with (folder / "log.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerow([str(DAY.next()), *("" for _ in COLUMNS[1:])])
        writer.writerows(zip(*columns.values(), strict=True))
    return open_source(f"files:{folder}", "X", {"log": Table.model_validate(LOG)})


STORES: dict[str, Make] = {
    "sqlite": sqlite, "parquet": parquet(True), "text": parquet(False), "mysql": mysql(None), "mysql in bulk": mysql(0),
    "files": files,
}  # fmt: skip


def _queries(folder: Path) -> Path:
    return write_queries(folder / "queries", log="SELECT * FROM log WHERE day = :day")


@pytest.mark.parametrize("chunk_rows", [7, 1000])
@pytest.mark.parametrize("store", STORES)
def test_every_store_gives_the_same_day(store: str, chunk_rows: int, database: Database, tmp_path: Path) -> None:
    if store == "mysql in bulk":
        pytest.importorskip("connectorx", reason="pip install connectorx")
    job = JobContext(config({"log": LOG}, chunk_rows=chunk_rows), tmp_path / "root")
    job._source = STORES[store](tmp_path, database)
    extract(job, DAY)
    found = validate(job, DAY)
    assert found.manifest.extra["counts"]["log"]["quarantined"] == 0
    rows = pq.read_table(found.file("log.parquet"))
    if isinstance(job._source, MySqlSource):
        assert not job._source.not_in_bulk, "it came by connectorx"
    assert rows["user"].to_pylist()[:3] == ["18446744073709551615", "100000000001", "100000000002"]
    assert rows["at"].to_pylist() == rows["wall"].to_pylist() == [row[0] for row in ROWS]
    assert set(map(str, rows["since"].to_pylist())) == {"2024-01-15"}
    assert rows["tags"].to_pylist() == [row[3] or None for row in ROWS]
    assert set(rows["ad"].to_pylist()) == {7}
    assert rows["price"].to_pylist() == [row[2] for row in ROWS]
