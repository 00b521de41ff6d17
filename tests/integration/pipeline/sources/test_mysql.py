"""Reading a real MySQL server: values whole, one moment for a day, a user who may only read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ops.services.mariadb import MariaDb
from pipeline.config.tables import Column
from pipeline.errors import SourceError
from pipeline.ingest.extract import extract
from pipeline.ingest.parse.columns import parse_column
from pipeline.job import JobContext
from pipeline.sources.base import Contents
from pipeline.storage.physical_types import one_of
from tests.integration.mysql_world import (
    DAY,
    VALUES,
    connected,
    fill,
    make_awkward,
    open_source,
    run,
    table,
    write_queries,
)
from tests.services import Database
from tests.unit.pipeline.small_job import LOG, config


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    return write_queries(
        tmp_path / "queries",
        awkward="SELECT * FROM awkward WHERE day = :day",
        log="SELECT day, time, user, x FROM log WHERE day = :day",
        all_log="SELECT day, time, user, x FROM log",
    )


def test_nothing_of_a_value_is_lost(database: Database, queries: Path) -> None:
    make_awkward(database.writer_url)
    first, empty, last = table(open_source(database.reader_url, queries), "awkward", list(VALUES)).to_pylist()
    assert first == VALUES
    assert empty == dict.fromkeys(VALUES)
    assert {name: value for name, value in last.items() if value is not None} == {
        "twofold": 1e308, "date": "2024-03-04", "at": "2024-03-04 01:02:03.456", "word": "", "raw": "plain",
    }  # fmt: skip


def test_a_column_of_nothing_has_the_type_that_the_server_tells(database: Database, queries: Path) -> None:
    make_awkward(database.writer_url)
    run(database.writer_url, "DELETE FROM awkward WHERE big IS NOT NULL")
    found = table(open_source(database.reader_url, queries), "awkward", ["big", "twofold", "word"], chunk=1)
    assert [str(field.type) for field in found.schema] == ["int64", "double", "string"]
    assert found["big"].null_count == 2


def test_rows_come_in_chunks_and_missing_columns_are_named(database: Database, queries: Path) -> None:
    fill(database.writer_url, 2500)
    found = open_source(database.reader_url, queries)
    reading = found.read("log", ["x", "colour", "user"], DAY, chunk_rows=1000)
    assert reading.missing == ("colour",)
    batches = list(reading.batches)
    assert [batch.num_rows for batch in batches] == [1000, 1000, 500]
    assert batches[0].schema.names == ["x", "user"]
    assert (found.count("log", DAY), found.has_rows("log", DAY)) == (2500, True)
    assert (found.count("log", DAY.plus(5)), found.has_rows("log", DAY.plus(5))) == (0, False)
    assert found.version("log") is None
    found.check()


def test_what_is_found_in_a_table(database: Database, queries: Path) -> None:
    fill(database.writer_url, 2500)
    found = open_source(database.reader_url, queries)
    assert found.contents("log", ["x", "colour"], dated=True) == Contents(
        True, 3, DAY.previous(), DAY.next(), 250, missing=("colour",)
    )
    assert found.contents("all_log", ["x"], dated=False) == Contents(True, rows=3000)
    run(database.writer_url, "ALTER TABLE log MODIFY day DATE NOT NULL")
    assert found.contents("log", ["x"], dated=True).last == DAY.next()
    run(database.writer_url, "DELETE FROM log")
    assert not found.contents("log", ["x"], dated=True).filled
    assert not found.contents("all_log", ["x"], dated=False).filled


def test_two_writers_are_not_seen_in_the_day_that_is_read(database: Database, queries: Path) -> None:
    fill(database.writer_url, 2500)
    found = open_source(database.reader_url, queries)
    with found.consistent():
        reading = found.read("log", ["time"], DAY, chunk_rows=500)
        first = next(reading.batches)
        for value in (-1, -2):
            run(database.writer_url, f"INSERT INTO log VALUES ('{DAY}', {value}, 'late', 0)", "DELETE FROM log LIMIT 3")
        rest = sum(batch.num_rows for batch in reading.batches)
        assert first.num_rows + rest == 2500
        # Another table of the same day, read later, is of the same moment.
        assert found.count("all_log", None) == 3000
        assert table(found, "log", ["time"]).num_rows == 2500
    assert found.count("all_log", None) == 2996


def test_a_read_in_the_block_ends_the_one_before(database: Database, queries: Path) -> None:
    fill(database.writer_url, 2500)
    found = open_source(database.reader_url, queries)
    with found.consistent():
        left = found.read("log", ["time"], DAY, chunk_rows=500)
        assert next(left.batches).num_rows == 500
        assert table(found, "log", ["time"]).num_rows == 2500
        with pytest.raises(SourceError, match="closed"):
            next(left.batches)


def test_a_reader_that_is_left_early_leaves_the_source_whole(database: Database, queries: Path) -> None:
    fill(database.writer_url, 2500)
    found = open_source(database.reader_url, queries)
    for _ in range(4):
        batches = found.read("log", ["time"], DAY, chunk_rows=100).batches
        assert next(batches).num_rows == 100
        del batches
    assert table(found, "log", ["time"]).num_rows == 2500


def test_a_number_beyond_int64_in_a_later_chunk_reaches_the_extract_whole(
    database: Database, queries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database.writer_url, 2500)
    run(
        database.writer_url,
        f"DELETE FROM log WHERE day <> '{DAY}'",
        "ALTER TABLE log DROP COLUMN user, ADD COLUMN user BIGINT UNSIGNED NOT NULL DEFAULT 7",
        "UPDATE log SET user = 18446744073709551615 WHERE time = 700",
    )
    (queries / "log.sql").write_text(
        "SELECT day, time, user, time AS ad, 1 AS label FROM log WHERE day = :day", encoding="utf-8"
    )
    monkeypatch.setenv("DAYSPRING_TINY_URL", database.reader_url)
    job = JobContext(config({"log": LOG}, chunk_rows=500), tmp_path / "root")
    job._source = open_source(database.reader_url, queries)
    found = extract(job, DAY)
    users = [one_of(value) for value in pq.read_table(found.file("log.parquet"))["user"].to_pylist()]
    assert len(users) == 2500
    assert set(users) == {2**64 - 1, 7}
    assert users.count(2**64 - 1) == 3
    job.close()


def test_the_reader_may_not_write(database: Database, tmp_path: Path) -> None:
    fill(database.writer_url, 10)
    queries = write_queries(tmp_path / "bad", bad="DELETE FROM log RETURNING day")
    with pytest.raises(SourceError):
        table(open_source(database.reader_url, queries), "bad", ["day"])
    assert open_source(database.reader_url, write_queries(tmp_path / "good", log="SELECT * FROM log")).count(
        "log", None
    )  # fmt: skip


@pytest.mark.parametrize("least", [None, 0], ids=["pymysql", "connectorx"])
def test_a_timestamp_is_an_instant_whatever_the_servers_zone(
    own_server: Callable[[type[MariaDb]], MariaDb], queries: Path, least: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if least is not None:
        pytest.importorskip("connectorx", reason="pip install connectorx")
    # The last two of the rows are at one time of the server's clocks, which are set back between them.
    monkeypatch.setenv("TZ", "EST5EDT,M3.2.0,M11.1.0")
    server = own_server(MariaDb)
    with connected(server.writer_url) as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute("CREATE TABLE log (day VARCHAR(10), at TIMESTAMP(3) NULL, wall DATETIME, since TIMESTAMP NULL)")
        cursor.executemany(
            "INSERT INTO log VALUES (%s, %s, %s, %s)",
            [
                (str(DAY), "2024-03-03 16:00:00.250", "2024-03-04 00:00:00", "2024-03-03 16:00:00"),
                (str(DAY), None, None, None),
                (str(DAY), "2024-11-03 05:30:00", None, None), (str(DAY), "2024-11-03 06:30:00", None, None),
            ],
        )  # fmt: skip
    (queries / "log.sql").write_text("SELECT * FROM log WHERE day = :day", encoding="utf-8")
    found = open_source(server.reader_url, queries, least=least)
    rows = table(found, "log", ["at", "wall", "since"])
    assert not found.not_in_bulk
    assert rows.to_pylist()[0] == {
        "at": "2024-03-03 16:00:00.250Z", "wall": "2024-03-04 00:00:00", "since": "2024-03-03 16:00:00Z",
    }  # fmt: skip
    assert rows["at"].to_pylist()[1:] == [None, "2024-11-03 05:30:00.000Z", "2024-11-03 06:30:00.000Z"]
    read = {
        name: parse_column(rows[name].combine_chunks(), Column(type=kind), "Asia/Shanghai").values[0].as_py()
        for name, kind in (("at", "time"), ("wall", "time"), ("since", "day"))
    }
    midnight = datetime(2024, 3, 3, 16, tzinfo=UTC)  # in Shanghai
    assert read == {"at": midnight.replace(microsecond=250_000), "wall": midnight, "since": DAY.date}
