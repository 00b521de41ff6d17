from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.tables import TextFiles
from pipeline.days import Day
from pipeline.sources.days_of_rows import days_of
from pipeline.sources.table_file import table_file


def days(folder: Path, values: pa.Array) -> list[str]:
    path = folder / "t.parquet"
    pq.write_table(pa.table({"day": values}), path)
    return [str(Day(int(each))) for each in days_of(table_file(path, TextFiles()), "day")]


@pytest.mark.parametrize(
    "written",
    ["2024-03-01", "20240301", "2024/3/1", "2024.03.01", " 2024-03-01 23:59:59", "2024-03-01T00:00", "2024/3/1 7:00"],
)
def test_dates_as_they_are_written(written: str, tmp_path: Path) -> None:
    assert days(tmp_path, pa.array([written])) == ["2024-03-01"]


def test_dates_that_have_a_type(tmp_path: Path) -> None:
    assert days(tmp_path, pa.array([20240301, 20240229])) == ["2024-03-01", "2024-02-29"]
    assert days(tmp_path, pa.array([date(2024, 3, 1), None])) == ["2024-03-01", "2024-03-01"]
    assert days(tmp_path, pa.array([datetime(2024, 3, 1, 23, 59)])) == ["2024-03-01"]


def test_a_row_without_a_day_stays_with_its_neighbours(tmp_path: Path) -> None:
    written = ["?", "2024-03-01", None, "2024-02-31", "2024-03-02", "20240303 9", "20240304123"]
    assert days(tmp_path, pa.array(written)) == [
        "2024-03-01", "2024-03-01", "2024-03-01", "2024-03-01", "2024-03-02", "2024-03-03", "2024-03-03",
    ]  # fmt: skip


def test_no_rows(tmp_path: Path) -> None:
    assert days(tmp_path, pa.array([], pa.string())) == []
