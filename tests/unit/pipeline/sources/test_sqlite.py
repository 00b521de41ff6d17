from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.days import Day
from pipeline.errors import SourceError
from pipeline.sources.mysql import MySqlSource
from pipeline.sources.sqlite import SqliteSource
from pipeline.storage.physical_types import one_of
from tests.unit.pipeline.small_job import DAY, database


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    folder = tmp_path / "queries"
    folder.mkdir()
    (folder / "log.sql").write_text(
        "-- What was shown: one row a view; by :day.\n-- marker: log_table\n"
        "SELECT day, user, ad\nFROM log_table\nWHERE day = :day;\n"
    )
    (folder / "ads.sql").write_text("SELECT ad, kind FROM ads\n")
    (folder / "day_ready.sql").write_text(
        "SELECT table_name, day FROM day_ready WHERE table_name = :table_name AND day = :day\n"
    )
    return folder


def source(tmp_path: Path, queries: Path, **tables: Any) -> SqliteSource:
    return SqliteSource(database(tmp_path / "it.db", tables), "DAYSPRING_TINY_URL", queries)


LOG = ("day TEXT, user, ad", [("2024-03-04", 1, 10), ("2024-03-04", "2", 11), ("2024-03-05", 3, 12)])


def rows(found: SqliteSource, name: str, columns: list[str], day: Day | None, chunk: int = 100) -> pa.Table:
    reading = found.read(name, columns, day, chunk_rows=chunk)
    return pa.concat_tables([pa.Table.from_batches([each]) for each in reading.batches], promote_options="permissive")


def test_the_rows_of_a_day(tmp_path: Path, queries: Path) -> None:
    found = source(tmp_path, queries, log_table=LOG)
    assert rows(found, "log", ["ad", "day"], DAY).to_pylist() == [
        {"ad": 10, "day": "2024-03-04"}, {"ad": 11, "day": "2024-03-04"},
    ]  # fmt: skip
    assert (found.count("log", DAY), found.has_rows("log", DAY)) == (2, True)
    assert (found.count("log", DAY.plus(9)), found.has_rows("log", DAY.plus(9))) == (0, False)


def test_values_of_several_types_in_a_chunk_stay_what_they_are(tmp_path: Path, queries: Path) -> None:
    found = source(tmp_path, queries, log_table=LOG)
    assert [one_of(value) for value in rows(found, "log", ["user"], DAY)["user"].to_pylist()] == [1, "2"]


def test_whole_numbers_beside_floats_and_bytes_lose_nothing(tmp_path: Path, queries: Path) -> None:
    values = [2**62 + 1, 0.5, None, "x", b"y", b"\xff"]
    found = source(tmp_path, queries, ads=("ad, kind", [(value, "k") for value in values]))
    assert [one_of(value) for value in rows(found, "ads", ["ad"], None)["ad"].to_pylist()] == [
        2**62 + 1, 0.5, None, "x", "y", "\\xff",
    ]  # fmt: skip


def test_rows_come_in_chunks(tmp_path: Path, queries: Path) -> None:
    found = source(tmp_path, queries, ads=("ad, kind", [(n, "k") for n in range(7)]))
    reading = found.read("ads", ["ad", "kind"], None, chunk_rows=3)
    assert [batch.num_rows for batch in reading.batches] == [3, 3, 1]
    assert found.count("ads", None) == 7


def test_a_column_that_the_statement_lacks_is_named(tmp_path: Path, queries: Path) -> None:
    found = source(tmp_path, queries, ads=("ad, kind", [(1, "k")]))
    reading = found.read("ads", ["ad", "colour"], None, chunk_rows=3)
    assert reading.missing == ("colour",)
    assert [batch.schema.names for batch in reading.batches] == [["ad"]]


def test_a_day_is_marked_under_the_name_that_the_statement_gives(tmp_path: Path, queries: Path) -> None:
    ready = ("table_name TEXT, day TEXT", [("log_table", "2024-03-04"), ("ads", "2024-03-05")])
    found = source(tmp_path, queries, log_table=LOG, day_ready=ready)
    assert found.is_marked("log", DAY)
    assert not found.is_marked("log", DAY.next())
    assert found.is_marked("ads", DAY.next())


def test_a_missing_file_is_an_error_and_is_not_made(tmp_path: Path, queries: Path) -> None:
    path = tmp_path / "no.db"
    found = SqliteSource(f"sqlite:///{path}", "DAYSPRING_TINY_URL", queries)
    with pytest.raises(SourceError, match=r"no\.db: no such file; .*DAYSPRING_TINY_URL"):
        found.count("ads", None)
    with pytest.raises(SourceError):
        found.check()
    assert not path.exists()


@pytest.mark.parametrize("name", ["a?b.db", "it.db?mode=ro"])
def test_the_file_that_was_looked_for_is_named(name: str, tmp_path: Path, queries: Path) -> None:
    (tmp_path / "a?b.db").touch()
    with pytest.raises(SourceError, match=rf"no such file as {tmp_path}/(a|it\.db) \(.* no `\?`\)"):
        SqliteSource(f"sqlite:///{tmp_path}/{name}", "X", queries).check()
    with pytest.raises(SourceError, match=rf"no such file as {Path.cwd()}/tmp/none\.db \(an absolute path has four"):
        SqliteSource("sqlite:///tmp/none.db", "X", queries).check()


def test_a_missing_table_names_the_statement_and_the_schema(tmp_path: Path, queries: Path) -> None:
    found = source(tmp_path, queries, ads=("ad, kind", []))
    with pytest.raises(SourceError, match=r"log\.sql: the database has no table 'log_table'; .*sql/schema/log_table"):
        found.read("log", ["ad"], DAY, chunk_rows=3)


def test_a_missing_column_is_named(tmp_path: Path, queries: Path) -> None:
    found = source(tmp_path, queries, ads=("ad", [(1,)]))
    with pytest.raises(SourceError, match=r"ads\.sql: the database has no column 'kind'"):
        found.read("ads", ["ad"], None, chunk_rows=3)


def test_a_missing_statement_lists_those_there_are(tmp_path: Path, queries: Path) -> None:
    found = source(tmp_path, queries, ads=("ad, kind", []))
    with pytest.raises(SourceError, match=r"sets\.sql: no such query.*ads, day_ready, log"):
        found.count("sets", None)


def test_a_file_that_is_no_database(tmp_path: Path, queries: Path) -> None:
    (tmp_path / "it.db").write_text("hello, this is not a database at all, whatever its name")
    found = SqliteSource(f"sqlite:///{tmp_path / 'it.db'}", "DAYSPRING_TINY_URL", queries)
    with pytest.raises(SourceError, match=r"it\.db: cannot be opened: it is no database of SQLite"):
        found.check()


def test_the_source_cannot_be_written(tmp_path: Path, queries: Path) -> None:
    (queries / "bad.sql").write_text("INSERT INTO ads VALUES (1, 'k') RETURNING ad")
    found = source(tmp_path, queries, ads=("ad, kind", []))
    with pytest.raises(SourceError, match="readonly"):
        found.read("bad", ["ad"], None, chunk_rows=3)


def test_an_unreachable_server_does_not_show_the_password(tmp_path: Path, queries: Path) -> None:
    found = MySqlSource("mysql+pymysql://reader:s3cret@127.0.0.1:1/school", "DAYSPRING_TINY_URL", queries)
    with pytest.raises(SourceError, match=r"reader:\*\*\*@127\.0\.0\.1") as failed:
        found.check()
    assert "s3cret" not in str(failed.value)
    assert failed.value.__cause__ is None


def test_the_version_changes_with_the_file(tmp_path: Path, queries: Path) -> None:
    found = source(tmp_path, queries, ads=("ad, kind", []))
    before = found.version("ads")
    assert before == found.version("ads")
    database(tmp_path / "it.db", {"more": ("a", [(1,)])})
    assert found.version("ads") != before
