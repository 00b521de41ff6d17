"""Published facts of the real data, found in `DAYSPRING_TEST_DATA` or in `shared/data` beside the project."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter, defaultdict
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from examples.kuairand import convert as convert_kuairand
from examples.online_retail import DDL
from examples.online_retail import convert as convert_retail
from examples.targets import ParquetTarget, SqlTarget
from pipeline.days import Day

_BESIDE = Path(__file__).resolve().parents[4] / "shared" / "data"


def real_data(name: str) -> Path:
    folder = Path(os.environ.get("DAYSPRING_TEST_DATA", str(_BESIDE))) / name
    if not folder.is_dir():
        pytest.skip(f"NO REAL DATA: {folder} is not there; set DAYSPRING_TEST_DATA to the folder that holds {name}/")
    return folder


def test_kuairand_rows_without_duplicates(tmp_path: Path) -> None:
    source = real_data("kuairand")
    tally = convert_kuairand(source, ParquetTarget(tmp_path), Day.of(2022, 4, 27), Day.of(2022, 5, 4))
    files = sorted(tmp_path.glob("midas_online_context/*/*.parquet"))
    rows = pa.concat_tables([pq.ParquetFile(path).read() for path in files])
    distinct = rows.group_by(rows.column_names).aggregate([])
    assert (len(files), rows.num_rows, distinct.num_rows) == (8, 142_230, 138_451)
    twice = tally["midas_online_context", "of them exact duplicates of a line of the day (kept)"]
    assert rows.num_rows - twice == distinct.num_rows


@pytest.mark.slow
def test_online_retail_requests_and_coverage(tmp_path: Path) -> None:
    source = real_data("online_retail")
    with SqlTarget(f"sqlite:///{tmp_path}/retail.db", DDL) as target:
        tally = convert_retail(source, target, None, None)
    table = "daily_homework_info"
    assert tally[table, "dropped: no customer"] == 185_253
    assert tally[table, "dropped: service code (does not start with five digits)"] == 2_223
    assert tally[table, "lines kept"] == 617_455
    with sqlite3.connect(tmp_path / "retail.db") as connection:
        rows = connection.execute(f"SELECT day, chapter_id, section_id FROM {table} ORDER BY day").fetchall()
    requests = [row for row in rows if "2011-03-01" <= row[0] <= "2011-08-31"]
    assert (len(requests), len({day for day, _, _ in requests})) == (110_949, 151)
    covered, alone = coverage(rows, "2011-03-01", "2011-08-31")
    assert (covered, alone) == (107_366, 2_114)


def coverage(rows: list[tuple[str, str, str]], first: str, last: str, limit: int = 500) -> tuple[int, int]:
    """Requests whose package is among the chapter's packages of earlier days, and those with that one only."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    covered = alone = 0
    for day, group in groupby(rows, key=lambda row: row[0]):
        of_day = list(group)
        if first <= day <= last:
            sets = {chapter: _most_frequent(seen[chapter], limit) for chapter in {row[1] for row in of_day}}
            covered += sum(key in sets[chapter] for _, chapter, key in of_day)
            alone += sum({key} == sets[chapter] for _, chapter, key in of_day)
        for _, chapter, key in of_day:
            seen[chapter][key] += 1
    return covered, alone


def _most_frequent(counts: Counter[str], limit: int) -> set[str]:
    if len(counts) <= limit:
        return set(counts)
    return set(sorted(counts, key=lambda key: (-counts[key], key))[:limit])
