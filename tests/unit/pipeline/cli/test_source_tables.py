"""What ``doctor`` says of each table: what was found, not only that a folder answers."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.cli.source_tables import found, read_tables
from pipeline.config.tables import Table
from pipeline.errors import SourceError
from pipeline.sources.parquet import ParquetSource
from pipeline.sources.sqlite import SqliteSource
from pipeline.sources.statements import Statement
from tests.unit.pipeline.small_job import ADS, DAY, LOG, config, context, log_rows, write_ads, write_log


@pytest.fixture
def source(tmp_path: Path) -> ParquetSource:
    for days in (0, 1, 3):
        write_log(tmp_path, log_rows(5 + days, DAY.plus(days)), DAY.plus(days))
    pq.write_table(log_rows(1, DAY.plus(3)), tmp_path / "tables" / "log" / f"day={DAY.plus(3)}" / "more.parq")
    write_ads(tmp_path)
    return ParquetSource(f"parquet:{tmp_path / 'tables'}", "DAYSPRING_TINY_URL")


def test_days_files_and_rows_of_the_newest_day(source: ParquetSource) -> None:
    said = found(source, Table.model_validate(LOG), "log")
    assert said[0] == "log: 3 of 4 days 2024-03-04 to 2024-03-07, the newest with 9 rows in 2 files"
    rows = pq.read_metadata(source.folder / "ads" / "part-0000.parquet").num_rows
    assert found(source, Table.model_validate(ADS), "ads") == [f"ads: {rows} rows in 1 file"]


def test_the_newest_day_is_one_with_rows(source: ParquetSource) -> None:
    (source.folder / "log" / f"day={DAY.plus(4)}").mkdir()
    assert "2024-03-04 to 2024-03-07, the newest with 9 rows" in found(source, Table.model_validate(LOG), "log")[0]


def test_columns_that_are_not_there(source: ParquetSource) -> None:
    price = {"type": "float", "source": "Prce"}
    more = {**LOG, "columns": {**LOG["columns"], "price": price, "hour": {"type": "int"}}}
    assert found(source, Table.model_validate(more), "log")[1:] == [
        "log has no column Prce (`price`), hour: read as missing in every row; name the source's column with "
        "`source:`, or take it out of the YAML"
    ]
    rows = log_rows(9, DAY.plus(4)).append_column("Price", [[1.0] * 9])
    write_log(source.folder.parent, rows, DAY.plus(4))
    assert "no column Prce (`price`) (is 'Price' meant?), hour: read as" in found(
        source, Table.model_validate(more), "log"
    )[1]  # fmt: skip
    more = {**LOG, "columns": {**LOG["columns"], "price": {"type": "float", "required": True}}}
    with pytest.raises(SourceError, match=r"'log' has no column price, .*required; there are 9 rows in 1 file"):
        found(source, Table.model_validate(more), "log")


@pytest.mark.parametrize("folders", [[], ["day=2024-03-04"], ["day=2024-03-04", "day=2024-03-05"]])
def test_nothing_where_it_is_looked_for_is_not_in_order(tmp_path: Path, folders: list[str]) -> None:
    for each in ("", *folders):
        (tmp_path / "log" / each).mkdir() if each else (tmp_path / "log").mkdir()
    source = ParquetSource(f"parquet:{tmp_path}", "DAYSPRING_TINY_URL")
    with pytest.raises(SourceError, match=f"'log' has no rows{', though there are [12] days' if folders else ''}"):
        found(source, Table.model_validate(LOG), "log")
    assert found(source, Table.model_validate({**LOG, "required": False}), "log")[0].endswith("no rows")


def test_sources_that_stand_in_are_looked_at_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = {**LOG, "sources": [{"source": "log_2", "first": "2024-03-05"}]}
    job = context(tmp_path, monkeypatch, config({"log": other, "ads": ADS}))
    looked_at = [(name, wanted) for name, _, wanted in read_tables(job)]
    assert looked_at == [("log", "log"), ("log", "log_2"), ("ads", "ads")]


def _database(tmp_path: Path, text: str, rows: list[tuple[Any, ...]]) -> SqliteSource:
    queries = tmp_path / "queries"
    queries.mkdir()
    (queries / "log.sql").write_text(text, encoding="utf-8")
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("CREATE TABLE log (day TEXT, time INT, user INT, ad INT)")
        connection.executemany("INSERT INTO log VALUES (?, ?, ?, ?)", rows)
    connection.close()
    return SqliteSource(f"sqlite:///{tmp_path / 'a.db'}", "DAYSPRING_TINY_URL", queries)


def test_days_of_a_database(tmp_path: Path) -> None:
    rows = [(str(day), 1, 2, 3) for day in (DAY, DAY, DAY.next(), DAY.plus(3), DAY.plus(3))]
    source = _database(tmp_path, "-- all\nSELECT * FROM log AS l WHERE l.day = :day;", rows)
    optional = {**LOG, "columns": {name: {**each, "required": False} for name, each in LOG["columns"].items()}}
    said = found(source, Table.model_validate(optional), "log")
    assert said[0] == "log: 3 of 4 days 2024-03-04 to 2024-03-07, the newest with 2 rows"
    assert said[1].startswith("log has no column label: read as missing in every row; ")
    with pytest.raises(SourceError, match="'log' has no column label, which is declared as required; there are 2 rows"):
        found(source, Table.model_validate(LOG), "log")


def test_an_empty_table_of_a_database_and_one_whose_days_cannot_be_told(tmp_path: Path) -> None:
    source = _database(tmp_path, "SELECT * FROM log WHERE day = :day", [])
    with pytest.raises(SourceError, match="'log' has no rows"):
        found(source, Table.model_validate(LOG), "log")
    (tmp_path / "queries" / "log.sql").write_text("SELECT * FROM log WHERE DATE(time) = :day", encoding="utf-8")
    other = SqliteSource(f"sqlite:///{tmp_path / 'a.db'}", "DAYSPRING_TINY_URL", tmp_path / "queries")
    optional = {**LOG, "columns": {name: {**each, "required": False} for name, each in LOG["columns"].items()}}
    said = found(other, Table.model_validate(optional), "log")
    assert said[0] == "log: days not counted, has rows"
    assert len(said) == 2
    (tmp_path / "queries" / "day.sql").write_text("SELECT ad FROM log WHERE day = :day", encoding="utf-8")
    assert found(other, Table.model_validate(optional), "day")[0].startswith("day: days not counted, has rows")
    (tmp_path / "queries" / "gone.sql").write_text("SELECT ad FROM gone WHERE day = :day", encoding="utf-8")
    with pytest.raises(SourceError, match="no table 'gone'"):
        found(other, Table.model_validate(optional), "gone")


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("SELECT a FROM t WHERE day = :day", "day"),
        ("SELECT a FROM t JOIN u ON u.day = :day AND u.day = t.day WHERE t.day = :day", "day"),
        ("SELECT a FROM t WHERE `log_day`=:day", "log_day"),
        ("SELECT a FROM t WHERE day BETWEEN :day AND :day", None),
        ("SELECT a FROM t WHERE DATE(time) = :day", None),
        ("SELECT a FROM t WHERE day = :day AND time < :day", None),
    ],
)
def test_the_column_of_the_day(tmp_path: Path, text: str, column: str | None) -> None:
    every = Statement(tmp_path, text, "t", None).of_all_days
    assert (every and every[1]) == column
    assert every is None or ":day" not in every[0]
