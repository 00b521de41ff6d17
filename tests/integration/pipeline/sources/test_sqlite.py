"""The statements of ``sql/queries`` over the tables of ``sql/schema``, through extraction and validation."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.load import load_job
from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.ingest.day_tables import read_table
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.sources.sqlite import SqliteSource
from pipeline.sources.statements import QUERIES

ROOT = Path(__file__).resolve().parents[4]
DAY = Day.of(2024, 3, 4)
D = str(DAY)

ROWS: dict[str, list[tuple[Any, ...]]] = {
    "daily_homework_info": [
        (D, "5", "50", "1", "7", "2", "86915,86889", "505110, 505111", "3", "0"),
        (D, "6.0", "60", "1", "7", "2", "[86915]", "[505110]", "250", "12"),
        (D, "6.0", "60", "1", "7", "2", "[86915]", "[505110]", "250", "12"),
        (D, "x", "60", "1", "7", "2", "86915", "505110", "1", "1"),
        ("2024-03-05", "7", "70", "1", "7", "2", "86915", "505110", "1", "1"),
    ],
    "homework_click_log": [(1709524800000, D, "5", "50", "click", "86915", "505110", "3")],
    "homework_offered": [(D, "5", "50", "86915", "505110", "3", "2")],
    "class_study": [(50, 505110, D, *[n / 7 for n in range(20)])],
    "style_counts": [(D, 5, 50, 3, 1)],
    "homework_candidates": [("86915", "505110", "3", "12", 1), ("86915", "505111", None, "0", 2)],
    "r_teacher_info": [(5, 11, 1101, 110101, 9, "2023-09-01", 1, 8)],
    "base_chapter_map": [(86915, 505110, 86000, -1)],
    "day_ready": [("daily_homework_info", D)],
}


@pytest.fixture
def url(tmp_path: Path) -> str:
    path = tmp_path / "school.db"
    with sqlite3.connect(path) as connection:
        for file in sorted((ROOT / "sql" / "schema").glob("*.sql")):
            connection.executescript(file.read_text(encoding="utf-8"))
        for table, rows in ROWS.items():
            connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    return f"sqlite:///{path}"


@pytest.fixture
def job(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    monkeypatch.setenv("DAYSPRING_HOMEWORK_URL", url)
    return JobContext(load_job("homework", ROOT / "conf"), tmp_path / "root")


def test_every_table_of_the_production_job_is_read_with_all_its_columns(job: JobContext) -> None:
    found = extract(job, DAY)
    assert found.manifest.extra["missing_columns"] == {}
    assert found.manifest.rows == {
        "homework": 4, "clicks": 1, "offered": 1, "study": 1, "style_counts": 1, "candidates": 2, "teachers": 1,
        "base_chapters": 1,
    }  # fmt: skip


def test_a_day_becomes_typed_tables(job: JobContext) -> None:
    extract(job, DAY)
    with pytest.raises(DataError, match=r"homework: 1 of 3 rows are in quarantine.*teacher_id: not a whole number: 1"):
        validate(job, DAY)
    loose = job.config.model_copy(
        update={"validation": job.config.validation.model_copy(update={"max_quarantined": 0.5})}
    )
    found = validate(JobContext(loose, job.root), DAY)
    assert found.manifest.extra["counts"]["homework"]["duplicates"] == 1
    rows = read_table(found, "homework").select(["teacher_id", "chapter_id", "section_id", "style", "reflect_id"])
    assert rows.to_pylist() == [
        {"teacher_id": 5, "chapter_id": [86915, 86889], "section_id": [505110, 505111], "style": 3, "reflect_id": None},
        {"teacher_id": 6, "chapter_id": [86915], "section_id": [505110], "style": 250, "reflect_id": 12},
    ]
    assert read_table(found, "base_chapters")["base_section_id"].to_pylist() == [-1]
    assert read_table(found, "teachers")["years_teaching"].to_pylist() == [None]
    assert read_table(found, "study")["v20"].to_pylist() == [19 / 7]


def test_a_day_is_marked_by_day_ready(url: str) -> None:
    source = SqliteSource(url, "DAYSPRING_HOMEWORK_URL")
    assert source.is_marked("daily_homework_info", DAY)
    assert source.is_marked("retail_homework", DAY), "its statement says whose marker counts"
    assert not source.is_marked("homework_click_log", DAY)


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.sql")), ids=lambda path: path.stem)
def test_statements_are_portable(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("--")).upper()
    assert text.startswith("-- "), "says what it selects"
    assert bare.startswith("SELECT ")
    for banned in ("*", "ORDER BY", "DISTINCT", "`", '"', "||", "IFNULL", "LIMIT", ";", "?"):
        assert banned not in bare, f"{banned}: order and distinct are ours, and the text must run on MySQL and SQLite"
