"""Online Retail II → homework tables, from the workbook as published, CSV and Parquet."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from datetime import datetime
from itertools import groupby
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook

from examples.online_retail import DDL, convert, main
from examples.online_retail import convert as convert_retail
from examples.targets import SqlTarget
from pipeline.days import Day
from pipeline.errors import SourceError, UsageError
from tests.unit.examples.real_data import real_data

HEADER = ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"]
FRIDAY, SUNDAY = datetime(2010, 12, 3, 9, 30), datetime(2010, 12, 5, 23, 59)
LINES: list[list[object]] = [
    [489434, "85048", "lights", 12, FRIDAY, 6.95, 13085.0, "United Kingdom"],
    [489434, "79323w", "white", 12, FRIDAY, 6.75, 13085.0, "United Kingdom"],
    [489434, "79323P ", "pink", 12, FRIDAY, 6.75, 13085.0, "United Kingdom"],
    [489434, "79323P", "pink", 12, FRIDAY, 6.75, 13085.0, "United Kingdom"],
    ["C489435", "85048", "lights", -12, FRIDAY, 6.95, 13085.0, "United Kingdom"],
    [489436, "POST", "postage", 1, FRIDAY, 18.0, 13085.0, "United Kingdom"],
    ["C489437", "POST", "postage", 1, FRIDAY, 18.0, None, "United Kingdom"],
    [489438, 85048, "lights", 1, FRIDAY, 6.95, None, "United Kingdom"],
]
MORE: list[list[object]] = [
    [489500, 85049, "lights", 1, SUNDAY, 6.95, 12346.0, "Iceland"],
    [489434, "79323P", "pink", 12, FRIDAY, 6.75, 13085.0, "United Kingdom"],
]
DROPS = {
    "dropped: no customer": 2,
    "dropped: cancellation": 1,
    "dropped: service code (does not start with five digits)": 1,
}


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = Workbook(write_only=True)
    for title, lines in (("Year 2009-2010", LINES), ("Year 2010-2011", MORE)):
        sheet = book.create_sheet(title)
        for row in [HEADER, *lines]:
            sheet.append(row)
    folder = tmp_path / "published"
    folder.mkdir()
    book.save(folder / "online_retail_II.xlsx")
    return folder


def rows_of(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        return connection.execute(query).fetchall()


def converted(source: Path, path: Path, first: Day | None = None, last: Day | None = None) -> dict[str, int]:
    with SqlTarget(f"sqlite:///{path}", DDL) as target:
        return {what: count for table, what, count in convert(source, target, first, last).rows() if table[0] == "d"}


PACKAGES = [
    ("2010-12-03", 13085, 13085, "7932", "79323P,79323W"),
    ("2010-12-03", 13085, 13085, "8504", "85048"),
    ("2010-12-05", 12346, 12346, "8504", "85049"),
]


def test_the_workbook_becomes_packages(workbook: Path, tmp_path: Path) -> None:
    counts = converted(workbook, tmp_path / "retail.db")
    assert rows_of(tmp_path / "retail.db", "SELECT * FROM daily_homework_info ORDER BY day, chapter_id") == PACKAGES
    teachers = [(12346, "Iceland", "2010-12-05"), (13085, "United Kingdom", "2010-12-03")]
    assert rows_of(tmp_path / "retail.db", "SELECT * FROM r_teacher_info ORDER BY teacher_id") == teachers
    assert {what: counts[what] for what in DROPS} == DROPS
    read = counts["lines read from sheet Year 2009-2010"] + counts["lines read from sheet Year 2010-2011"]
    assert read == counts["lines kept"] + sum(DROPS.values()) == 10
    assert (counts["packages written"], counts["days"], counts["days without rows"]) == (3, 3, 1)


def test_a_day_without_trade_is_marked_complete(workbook: Path, tmp_path: Path) -> None:
    converted(workbook, tmp_path / "retail.db")
    marks = rows_of(tmp_path / "retail.db", "SELECT day FROM day_ready WHERE table_name = 'daily_homework_info'")
    assert [day for (day,) in marks] == ["2010-12-03", "2010-12-04", "2010-12-05"]


def test_csv_and_parquet_give_the_same(workbook: Path, tmp_path: Path) -> None:
    frame = pd.DataFrame(LINES + MORE, columns=HEADER)
    for name in ("csv", "parquet"):
        (tmp_path / name).mkdir()
    frame.to_csv(tmp_path / "csv/online_retail_II.csv", index=False)
    renamed = pd.DataFrame(
        {
            "invoice_no": frame["Invoice"].astype("str"),
            "stock_code": frame["StockCode"].astype("str"),
            "invoice_ts": frame["InvoiceDate"],
            "customer_id": frame["Customer ID"].astype("Int32"),  # keeps its missing values when read back
            "country": frame["Country"],
        }
    )
    renamed.to_parquet(tmp_path / "parquet/transactions.parquet")
    for name in ("csv", "parquet"):
        counts = converted(tmp_path / name, tmp_path / f"{name}.db")
        assert (
            rows_of(tmp_path / f"{name}.db", "SELECT * FROM daily_homework_info ORDER BY day, chapter_id") == PACKAGES
        )
        assert {what: counts[what] for what in DROPS} == DROPS


def test_a_range_adds_its_days_only(workbook: Path, tmp_path: Path) -> None:
    sunday = Day.of(2010, 12, 5)
    counts = converted(workbook, tmp_path / "retail.db", sunday, sunday)
    assert (counts["packages written"], counts["days"]) == (1, 1)
    converted(workbook, tmp_path / "retail.db", None, sunday.previous())
    assert rows_of(tmp_path / "retail.db", "SELECT COUNT(*) FROM daily_homework_info") == [(3,)]
    with pytest.raises(UsageError, match="holds 2010-12-03 to 2010-12-05"):
        converted(workbook, tmp_path / "retail.db", sunday.next(), None)


def test_bad_sources_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--source", str(tmp_path), "--target", f"sqlite:///{tmp_path}/r.db"]) == 1
    message = capsys.readouterr().err
    assert "online_retail_II.xlsx" in message
    assert "https://archive.ics.uci.edu" in message
    assert not (tmp_path / "r.db").exists()
    (tmp_path / "online_retail.csv").write_text("Invoice,StockCode,InvoiceDate,Country\n1,2,2010-01-01,UK\n")
    with pytest.raises(SourceError, match="column Customer ID or CustomerID or customer_id is not there"):
        converted(tmp_path, tmp_path / "r.db")
    (tmp_path / "online_retail.csv").write_text(",".join(HEADER) + "\n1,85048,x,1,someday,1,1,UK\n")
    with pytest.raises(SourceError, match=r"online_retail.csv: .*someday"):
        converted(tmp_path, tmp_path / "r.db")


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
