"""What SQL databases have in common: what a table holds, and errors without a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.days import Day
from pipeline.sources.base import Contents
from pipeline.sources.sql import SqlSource
from pipeline.sources.sqlite import SqliteSource
from tests.unit.pipeline.small_job import DAY, database


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    folder = tmp_path / "queries"
    folder.mkdir()
    (folder / "log.sql").write_text("-- marker: log_table\nSELECT day, user FROM log_table WHERE day = :day\n")
    (folder / "late.sql").write_text("SELECT user FROM log_table WHERE substr(day, 1, 10) = :day\n")
    (folder / "ads.sql").write_text("SELECT ad FROM ads\n")
    (folder / "day_ready.sql").write_text(
        "SELECT table_name FROM day_ready WHERE table_name = :table_name AND day = :day\n"
    )
    return folder


def source(tmp_path: Path, queries: Path, days: list[Any], **tables: Any) -> SqlSource:
    rows = [(day, number) for number, day in enumerate(days)]
    url = database(tmp_path / "it.db", {"log_table": ("day, user", rows), "ads": ("ad", [(1,), (2,)]), **tables})
    return SqliteSource(url, "DAYSPRING_TINY_URL", queries)


def test_a_dated_table_says_its_days_and_how_many_rows_the_last_has(tmp_path: Path, queries: Path) -> None:
    found = source(tmp_path, queries, ["2024-03-04", "2024-03-06", "2024-03-06"])
    assert found.contents("log", ["user", "gone"], dated=True) == Contents(
        True, 2, Day.of(2024, 3, 4), Day.of(2024, 3, 6), 2, missing=("gone",)
    )


@pytest.mark.parametrize("written", ["2024/03/04", "2024-03-04 23:59:59", b"2024-03-04"])
def test_a_day_is_read_in_whatever_form_it_is_kept(tmp_path: Path, queries: Path, written: Any) -> None:
    found = source(tmp_path, queries, [written]).contents("log", ["user"], dated=True)
    assert (found.first, found.last) == (Day.of(2024, 3, 4), Day.of(2024, 3, 4))


def test_days_that_are_none_are_counted_and_not_named(tmp_path: Path, queries: Path) -> None:
    found = source(tmp_path, queries, ["first", "second"]).contents("log", ["user"], dated=True)
    assert (found.filled, found.days, found.first, found.last) == (True, 2, None, None)


def test_an_empty_table_is_not_filled(tmp_path: Path, queries: Path) -> None:
    assert not source(tmp_path, queries, []).contents("log", ["user"], dated=True).filled


def test_a_statement_that_compares_no_plain_column_says_nothing_of_days(tmp_path: Path, queries: Path) -> None:
    assert source(tmp_path, queries, ["2024-03-04"]).contents("late", ["user"], dated=True) == Contents(True)


def test_an_undated_table_says_its_rows(tmp_path: Path, queries: Path) -> None:
    assert source(tmp_path, queries, []).contents("ads", ["ad", "kind"], dated=False) == Contents(
        True, rows=2, missing=("kind",)
    )


def test_a_day_is_marked_by_the_name_that_the_statement_gives(tmp_path: Path, queries: Path) -> None:
    marks = {"day_ready": ("table_name, day", [("log_table", "2024-03-04")])}
    found = source(tmp_path, queries, [], **marks)
    assert (found.is_marked("log", DAY), found.is_marked("log", DAY.next())) == (True, False)


def test_a_drivers_words_are_one_line_without_the_password(tmp_path: Path, queries: Path) -> None:
    class Remote(SqliteSource):
        def _open(self, url: str) -> Any:
            return None

        def close(self) -> None:
            """Nothing was opened."""

    found = Remote("mysql://reader:p%40ss@host/db", "DAYSPRING_TINY_URL", queries)
    said = found._clean(ValueError("access denied\n  for reader:p@ss, also p%40ss"))
    assert said == "access denied for reader:***, also ***"
    told = str(found._no_table("log", "db.log_table"))
    assert "the database has no table 'log_table'; make it by sql/schema/log_table.sql" in told
    assert "p%40ss" not in told
