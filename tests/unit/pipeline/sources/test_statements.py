"""Statements and what their comments say."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.errors import SourceError
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


def test_a_missing_statement_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"sets\.sql: no such query.*name one of: log"):
        write(tmp_path, "SELECT 1").get("sets")


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.sql")), ids=lambda path: path.stem)
def test_the_ranges_are_of_a_column_that_is_selected(path: Path) -> None:
    found = Statements(QUERIES).get(path.stem)
    selected = found.text.partition("FROM")[0]
    assert found.ranges is None or found.ranges in selected.replace(",", " ").split()
