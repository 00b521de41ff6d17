"""Statements and what their comments say."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.errors import SourceError
from pipeline.sources.sqlite import SqliteSource
from pipeline.sources.statements import QUERIES, Statements

DAY = Day.of(2024, 3, 4)


def write(folder: Path, text: str) -> Statements:
    (folder / "log.sql").write_text(text, encoding="utf-8")
    return Statements(folder)


def test_a_statement_alone(tmp_path: Path) -> None:
    found = write(tmp_path, "-- What was shown, by :day.\nSELECT ad\nFROM ads;\n").get("log")
    assert (found.text, found.marker, found.ranges, found.is_dated) == ("SELECT ad\nFROM ads", "log", None, False)
    assert found.of_day(DAY) == found.text


def test_comments_name_the_marker_and_the_ranges(tmp_path: Path) -> None:
    written = (
        "-- marker: shown\n-- ranges: time\nSELECT time FROM log WHERE day = :day AND kind <> 'a\\:b' AND x <> :days"
    )
    found = write(tmp_path, written).get("log")
    assert (found.marker, found.ranges, found.is_dated) == ("shown", "time", True)
    assert found.of_day(DAY) == "SELECT time FROM log WHERE day = '2024-03-04' AND kind <> 'a:b' AND x <> :days"


def test_a_day_is_written_as_its_tables_do(tmp_path: Path) -> None:
    written = "-- days: %Y/%m/%d\n-- window: 5\nSELECT 1 FROM log WHERE d = :day OR d > :first"
    found = write(tmp_path, written).get("log")
    assert found.parameters(DAY) == {"day": "2024/03/04", "first": "2024/02/29"}
    assert found.of_day(DAY) == "SELECT 1 FROM log WHERE d = '2024/03/04' OR d > '2024/02/29'"
    short = write(tmp_path, "-- days: %Y%m%d\nSELECT 1 FROM log WHERE d = :day").get("log")
    assert short.of_day(DAY) == "SELECT 1 FROM log WHERE d = '20240304'"
    for wrong in ("%d.%m.", "YYYY/MM/DD", "%Y-%m-%d %H", "%Y-%m-%d'"):
        with pytest.raises(SourceError, match="of `days`; write %Y, %m and %d"):
            write(tmp_path, f"-- days: {wrong}\nSELECT 1 FROM log WHERE d = :day").get("log")


def test_ones_own_folder_comes_before_the_projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = Statements().get("day_ready")
    monkeypatch.setenv("DAYSPRING_SQL", str(tmp_path))
    (tmp_path / "log.sql").write_text("SELECT 1", encoding="utf-8")
    assert Statements().get("log").path == tmp_path / "log.sql"
    assert Statements().get("day_ready").path == shipped.path == QUERIES / "day_ready.sql"
    (tmp_path / "day_ready.sql").write_text("SELECT 2", encoding="utf-8")
    assert Statements().get("day_ready").text == "SELECT 2"


def test_a_missing_statement_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"sets\.sql: no such query.*name one of: log"):
        write(tmp_path, "SELECT 1").get("sets")


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.sql")), ids=lambda path: path.stem)
def test_the_ranges_are_of_a_column_that_is_selected(path: Path) -> None:
    found = Statements(QUERIES).get(path.stem)
    selected = found.text.partition("FROM")[0]
    assert found.ranges is None or found.ranges in selected.replace(",", " ").split()


SAMPLES = """
-- template: samples
-- window: 14
-- log: ad_log
-- date: day
-- user: user_id
-- item: ad_id
-- label: is_click
-- items: versions
-- since: since_day
-- columns: author_id, grade_id
"""


def test_a_template_makes_a_table_of_samples_with_any_click_and_what_an_item_was_by_then(tmp_path: Path) -> None:
    """The window begins on 20 February; ad 5 had another author from 2 March on, after it was last shown to user 1."""
    write(tmp_path, SAMPLES)
    file = tmp_path / "log.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE ad_log (day TEXT, user_id INTEGER, ad_id INTEGER, is_click INTEGER)")
        database.execute("CREATE TABLE versions (ad_id INTEGER, since_day TEXT, author_id INTEGER, grade_id INTEGER)")
        database.executemany("INSERT INTO ad_log VALUES (?, ?, ?, ?)", [
            ("2024-02-19", 1, 5, 1), ("2024-02-20", 1, 5, 0), ("2024-03-01", 1, 5, 0), ("2024-03-04", 2, 5, 0),
            ("2024-03-03", 2, 5, 1), ("2024-03-04", 2, 6, 0), ("2024-03-05", 2, 6, 1),
        ])  # fmt: skip
        database.executemany(
            "INSERT INTO versions VALUES (?, ?, ?, ?)", [(5, "2024-01-01", 70, 1), (5, "2024-03-02", 71, 2)]
        )
        database.commit()
    source = SqliteSource(f"sqlite:///{file}", "URL", tmp_path)
    assert source.count("log", DAY) == 3
    names = ["day", "user_id", "ad_id", "is_click", "times", "last_day", "author_id", "grade_id"]
    batches = source.read("log", names, DAY, chunk_rows=100).batches
    rows = [tuple(row[name] for name in names) for batch in batches for row in batch.to_pylist()]
    assert sorted(rows) == [
        ("2024-03-04", 1, 5, 0, 2, "2024-03-01", 70, 1), ("2024-03-04", 2, 5, 1, 2, "2024-03-04", 71, 2),
        ("2024-03-04", 2, 6, 0, 1, "2024-03-04", None, None),
    ]  # fmt: skip
    written = Statements(tmp_path).get("log").of_day(DAY)
    assert "day >= '2024-02-20' AND day <= '2024-03-04'" in written
    source.close()


def test_what_a_template_needs_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"there is no template 'pairs'; one of: samples"):
        write(tmp_path, "-- template: pairs").get("log")
    with pytest.raises(SourceError, match="says nothing of `user`"):
        write(tmp_path, "-- template: samples\n-- window: 3").get("log")
    with pytest.raises(SourceError, match="says 'ad_log; DROP' of `log`"):
        write(tmp_path, SAMPLES.replace("ad_log", "ad_log; DROP")).get("log")
    with pytest.raises(SourceError, match="write `-- window: 14`"):
        write(tmp_path, SAMPLES.replace("-- window: 14", "")).get("log")
    mixed = "-- window: 3\nSELECT * FROM log WHERE day = :day AND since >= :first"
    assert write(tmp_path, mixed).get("log").of_all_days is None, "no day stands for :first"
