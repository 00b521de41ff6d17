"""Long days by connectorx: the same rows as by pymysql, and never a day that changed meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.errors import SourceInterrupted
from tests.integration.mysql_world import DAY, VALUES, fill, make_awkward, open_source, run, table, write_queries
from tests.services import Database

pytest.importorskip("connectorx", reason="pip install connectorx")


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    return write_queries(
        tmp_path / "queries",
        awkward="SELECT * FROM awkward WHERE day = :day",
        log="-- ranges: time\nSELECT day, time, user, x FROM log WHERE day = :day",
        unranged="SELECT day, time, user, x FROM log WHERE day = :day",
        by_name="-- ranges: user\nSELECT day, time, user, x FROM log WHERE day = :day",
    )


@pytest.mark.parametrize("name", [name for name in VALUES if name != "bits"])
def test_a_column_is_equal_to_that_of_pymysql(database: Database, queries: Path, name: str) -> None:
    make_awkward(database.writer_url)
    plain = table(open_source(database.reader_url, queries), "awkward", [name, "day"])
    bulk = open_source(database.reader_url, queries, least=0)
    found = table(bulk, "awkward", [name, "day"])
    assert found.equals(plain)
    assert not bulk.not_in_bulk, "it came by connectorx"


def test_what_connectorx_cannot_read_comes_by_pymysql(database: Database, queries: Path) -> None:
    make_awkward(database.writer_url)
    found = open_source(database.reader_url, queries, least=0)
    assert found.bulk is not None
    assert not found.bulk.reads([found.kinds("awkward", DAY)["bits"][1]])
    assert table(found, "awkward", list(VALUES)).to_pylist()[0] == VALUES


@pytest.mark.parametrize("piece", [700, 5000, 100_000])
def test_pieces_hold_every_row_in_the_same_order(database: Database, queries: Path, piece: int) -> None:
    fill(database.writer_url, 12_000)
    run(database.writer_url, f"UPDATE log SET time = NULL WHERE time % 50 = 1 AND day = '{DAY}'")
    run(database.writer_url, f"UPDATE log SET time = -5 - time WHERE time % 50 = 2 AND day = '{DAY}'")
    run(database.writer_url, f"UPDATE log SET time = {2**62} WHERE time BETWEEN 100 AND 600 AND day = '{DAY}'")
    columns = ["x", "user", "time"]
    plain = table(open_source(database.reader_url, queries), "log", columns)
    bulk = open_source(database.reader_url, queries, least=0, piece=piece)
    found = table(bulk, "log", columns)
    assert not bulk.not_in_bulk
    key = [(name, "ascending") for name in ("time", "x", "user")]
    assert found.sort_by(key).equals(plain.sort_by(key))


def test_a_long_day_without_ranges_comes_by_pymysql(
    database: Database, queries: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(database.writer_url, 3000)
    found = open_source(database.reader_url, queries, least=0, piece=1000)
    assert table(found, "unranged", ["time"]).num_rows == 3000
    assert "3,000 rows are too many for one piece, and the statement has no line `-- ranges: COLUMN`" in (
        capsys.readouterr().err
    )
    assert table(found, "by_name", ["time"]).num_rows == 3000
    assert "`-- ranges: user` does not name a column of whole numbers" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO log VALUES ('{day}', 5, 'late', 0)",
        "DELETE FROM log WHERE day = '{day}' LIMIT 1",
        "UPDATE log SET user = 'v17' WHERE day = '{day}' AND time = 10",
        "UPDATE log SET x = x + 1e-9 WHERE day = '{day}' AND time = 900",
    ],
)
def test_a_day_that_changes_while_it_is_read_is_read_again(
    database: Database, queries: Path, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(database.writer_url, 3000)
    found = open_source(database.reader_url, queries, least=0)
    with found.consistent():
        batches = found.read("log", ["time", "user", "x"], DAY, chunk_rows=500).batches
        assert next(batches).num_rows == 500
        run(database.writer_url, change.format(day=DAY))
        with pytest.raises(SourceInterrupted, match="the day changed while it was read"):
            list(batches)
    assert "read by pymysql" in capsys.readouterr().err
    with found.consistent():
        after = table(found, "log", ["time", "user", "x"])
    assert after.equals(table(open_source(database.reader_url, queries), "log", ["time", "user", "x"]))


def test_a_day_that_is_not_over_is_not_read_in_bulk(database: Database, queries: Path) -> None:
    today = Day.of_instant(datetime.now(UTC), "UTC")
    fill(database.writer_url, 300)
    run(database.writer_url, f"UPDATE log SET day = '{today}' WHERE day = '{DAY}'")
    found = open_source(database.reader_url, queries, least=0)
    kinds = dict(found.kinds("log", today).values())
    assert found.bulk_for("log", today, kinds) is None, "there is no table of marks"
    run(database.writer_url, "CREATE TABLE day_ready (table_name VARCHAR(64), day VARCHAR(10))")
    assert found.bulk_for("log", today, kinds) is None
    assert found.bulk_for("log", DAY, kinds) is found.bulk
    run(database.writer_url, f"INSERT INTO day_ready VALUES ('log', '{today}')")
    assert found.bulk_for("log", today, kinds) is found.bulk


def test_a_day_that_cannot_be_counted_for_bulk_comes_by_pymysql(
    database: Database, queries: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(
        database.writer_url,
        "CREATE TABLE mixed (day VARCHAR(10), a VARCHAR(20) CHARACTER SET utf16 COLLATE utf16_bin,"
        " b VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)",
    )
    run(database.writer_url, f"INSERT INTO mixed VALUES ('{DAY}', 'one', 'zwei'), ('{DAY}', '教师', '😀')")
    (queries / "mixed.sql").write_text("SELECT day, a, b FROM mixed WHERE day = :day", encoding="utf-8")
    found = open_source(database.reader_url, queries, least=0)
    assert table(found, "mixed", ["a", "b"]).to_pylist() == [{"a": "one", "b": "zwei"}, {"a": "教师", "b": "😀"}]
    assert found.not_in_bulk == {("mixed", DAY)}
    assert "by connectorx" in capsys.readouterr().err
