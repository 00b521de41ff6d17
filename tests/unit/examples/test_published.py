"""The published files as people have them give the tables of the files as published, or one clear message."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import sqlite3
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from examples import kuairand, online_retail
from examples.dates import UnclearDates, order_of
from examples.published import layout_of, plain
from examples.targets import ParquetTarget, SqlTarget
from pipeline.errors import SourceError

LOG = ",".join(kuairand.LOG_COLUMNS) + "\n" + "7,70,20220421,2359,1650000002359,1,0,0,0,0,0,0,5,9000,0,0,0,0,1\n"
USERS = 'user_id,user_active_degree,onehot_feat4\n7,full_active,1.5\n8,"a;b",2\n'
VIDEOS = 'video_id,author_id,tag\n70,1,"3,4"\n'


def _anew(text: str) -> str:
    """As a spreadsheet of another country saves it: semicolons, decimal commas, names in quotes."""
    lines = [re.split(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', line) for line in text.splitlines()]
    head = ";".join(f'" {name} "' for name in lines[0])
    rows = (";".join(re.sub(r"^(\d+)\.(\d+)$", r"\1,\2", cell) for cell in line) for line in lines[1:])
    return "\n".join([head, *rows])


def _zip(path: Path, data: bytes) -> None:
    with zipfile.ZipFile(path.with_name(path.name + ".zip"), "w") as archive:
        archive.writestr(path.name, data)
        archive.writestr("__MACOSX/._x", b"")


WAYS: dict[str, Callable[[Path, str], object]] = {
    "with a mark": lambda path, text: path.write_text(text, encoding="utf-8-sig"),
    "in UTF-16": lambda path, text: path.write_text(text, encoding="utf-16"),
    "in UTF-16 without a mark": lambda path, text: path.write_text(text, encoding="utf-16-le"),
    "in UTF-16, the other way round": lambda path, text: path.write_bytes(("\ufeff" + text).encode("utf-16-be")),
    "gz": lambda path, text: path.with_name(path.name + ".gz").write_bytes(gzip.compress(text.encode())),
    "gz with a mark": lambda path, text: path.with_name(path.name + ".gz").write_bytes(
        gzip.compress(text.encode("utf-8-sig"))
    ),
    "bz2": lambda path, text: path.with_name(path.name + ".bz2").write_bytes(bz2.compress(text.encode())),
    "xz": lambda path, text: path.with_name(path.name + ".xz").write_bytes(lzma.compress(text.encode())),
    "zip": lambda path, text: _zip(path, text.encode()),
    "semicolons": lambda path, text: path.write_text(_anew(text)),
    "semicolons, as told in a line": lambda path, text: path.write_text("sep=;\n" + _anew(text), encoding="utf-8-sig"),
    "lines of Windows": lambda path, text: path.write_bytes(text.replace("\n", "\r\n").encode()),
    "capital letters": lambda path, text: path.write_text(text.partition("\n")[0].upper() + text[text.index("\n") :]),
    "packed under its own name": lambda path, text: path.write_bytes(gzip.compress(text.encode())),
}


def _tables(source: Path, target: Path) -> dict[str, object]:
    kuairand.convert(source, ParquetTarget(target), None, None)
    return {
        path.relative_to(target).as_posix(): [
            {name.casefold(): value for name, value in row.items()} for row in pq.ParquetFile(path).read().to_pylist()
        ]
        for path in sorted(target.rglob("*.parquet"))
    }


@pytest.mark.parametrize("way", WAYS)
def test_kuairand_gives_the_same(tmp_path: Path, way: str) -> None:
    files = {"log_standard_1": LOG, "user_features_pure": USERS, "video_features_basic_pure": VIDEOS}
    for folder in ("published", "own"):
        (tmp_path / folder).mkdir()
    for name, text in files.items():
        (tmp_path / "published" / f"{name}.csv").write_text(text)
        WAYS[way](tmp_path / "own" / f"{name}.csv", text)
    tables = _tables(tmp_path / "own", tmp_path / "b")
    assert tables == _tables(tmp_path / "published", tmp_path / "a")
    (users,) = [rows for name, rows in tables.items() if "online_user" in name]
    assert users == [
        {"row_key": "7", "user_id": 7, "user_active_degree": "full_active", "onehot_feat4": 1.5},
        {"row_key": "8", "user_id": 8, "user_active_degree": "a;b", "onehot_feat4": 2.0},
    ]


def test_a_log_that_is_there_twice_is_not_read_twice(tmp_path: Path) -> None:
    for name, text in {"log_1": LOG, "user_features": USERS, "video_features_basic": VIDEOS}.items():
        (tmp_path / f"{name}.csv").write_text(text)
    WAYS["gz"](tmp_path / "log_1.csv", LOG)
    with pytest.raises(SourceError, match=r"log_1\.csv and log_1\.csv\.gz beside it: the same file twice"):
        kuairand.find_files(tmp_path)


@pytest.mark.parametrize(
    ("date", "told"), [("", "column date is empty in 1 lines"), ("20221301", "20221301, which is no day"),
                       ("2022-04-21", "cannot be read as a log of whole numbers"), ("22/04/2022", "'22/04/2022'")],
)  # fmt: skip
def test_a_date_that_is_none_is_named(tmp_path: Path, date: str, told: str) -> None:
    log = LOG.replace(",20220421,", f",{date},")
    for name, text in {"log_1": log, "user_features": USERS, "video_features_basic": VIDEOS}.items():
        (tmp_path / f"{name}.csv").write_text(text)
    with pytest.raises(SourceError, match=told):
        kuairand.convert(tmp_path, ParquetTarget(tmp_path / "ads"), None, None)


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.csv.gz", gzip.compress(LOG.encode() * 50, mtime=0)[:60], "cannot be unpacked"),
        ("a.csv.zip", b"PK\x03\x04nothing", "cannot be unpacked"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\xff\xfea\x00\xd8", "cannot be unpacked or read"),
    ],
)
def test_a_file_that_cannot_be_unpacked_is_named(tmp_path: Path, name: str, data: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=rf"{re.escape(name)}: .*{told}"), plain(tmp_path / name) as file:
        layout_of(file, tmp_path / name)


def test_a_zip_of_several_files_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.writestr(name, "x\n1\n")
    with pytest.raises(SourceError, match="holds 2 files; unpack it"), plain(tmp_path / "a.csv.zip"):
        pass


RETAIL = """Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country
489434,85048,"lights, red",12,2010-12-03 09:30:00,6.95,13085.0,United Kingdom
489435,79323W,white,12,2010-12-13 14:05:00,6.75,13085.0,United Kingdom
489438,85048,lights,1,2010-12-03 09:30:00,6.95,,United Kingdom
"""
PACKAGES = [("2010-12-03", 13085, "85048"), ("2010-12-13", 13085, "79323W")]


def _packages(folder: Path, dates: str | None = None) -> list[tuple[object, ...]]:
    with SqlTarget(f"sqlite:///{folder / 'retail.db'}", online_retail.DDL) as target:
        online_retail.convert(folder, target, None, None, dates)  # type: ignore[arg-type]
    with sqlite3.connect(folder / "retail.db") as connection:
        query = "SELECT day, teacher_id, section_id FROM daily_homework_info ORDER BY day"
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("way", WAYS)
def test_online_retail_gives_the_same(tmp_path: Path, way: str) -> None:
    WAYS[way](tmp_path / "online_retail_II.csv", RETAIL)
    assert _packages(tmp_path) == PACKAGES


def _dated(tmp_path: Path, first: str, second: str) -> Path:
    text = RETAIL.replace("2010-12-03 09:30:00", first).replace("2010-12-13 14:05:00", second)
    (tmp_path / "online_retail_II.csv").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("03/12/2010 09:30", "13/12/2010 14:05"),
        ("12/3/2010 9:30", "12/13/2010 14:05"),
        ("03.12.2010 09:30:00", "13.12.2010 14:05:00"),
        ("12/3/2010 9:30 AM", "12/13/2010 2:05 PM"),
        ("3-12-2010", "13-12-2010"),
        ('"03/12/2010, 09:30:00"', '"13/12/2010, 14:05:00"'),
        ("2010-12-03T09:30:00", "2010-12-13 14:05:00"),
        ("2010-12-03", "13/12/2010 14:05"),
    ],
)
def test_dates_of_which_one_in_the_file_tells(tmp_path: Path, first: str, second: str) -> None:
    assert _packages(_dated(tmp_path, first, second)) == PACKAGES


def test_dates_that_nothing_tells_are_refused_with_how_to_say_which(tmp_path: Path) -> None:
    folder = _dated(tmp_path, "03/12/2010 09:30", "04/12/2010 14:05")
    told = r"InvoiceDate: '03/12/2010 09:30' may have the day first .* --dates day-first or --dates month"
    with pytest.raises(SourceError, match=told):
        _packages(folder)
    assert [day for day, *_ in _packages(folder, "day-first")] == ["2010-12-03", "2010-12-04"]
    (folder / "retail.db").unlink()
    assert [day for day, *_ in _packages(folder, "month-first")] == ["2010-03-12", "2010-04-12"]


def test_dates_that_contradict_each_other_or_the_choice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="'13/12/2010' has the day first and '12/13/2010' the month"):
        _packages(_dated(tmp_path, "13/12/2010", "12/13/2010"))
    with pytest.raises(SourceError, match="InvoiceDate holds what is no time"):
        _packages(_dated(tmp_path, "01/12/2010", "12/13/2010"), "day-first")


@pytest.mark.parametrize("date", ["03/12/2010 09:30 GMT", "Fri 03/12/2010", "13/12/2010 09h30"])
def test_a_date_that_is_read_in_part_only_is_not_guessed(tmp_path: Path, date: str) -> None:
    with pytest.raises(SourceError, match=f"InvoiceDate holds what is no time: '{date}'; write dates as"):
        _packages(_dated(tmp_path, date, "13/12/2010 14:05"))


def test_short_years_are_read_when_it_is_said_how(tmp_path: Path) -> None:
    folder = _dated(tmp_path, "12/3/10 9:30", "12/13/10 14:05")
    with pytest.raises(SourceError, match="'12/3/10 9:30' has a year of two digits; say which comes first"):
        _packages(folder)
    assert _packages(folder, "month-first") == PACKAGES


def test_a_customer_that_is_no_number_is_refused_and_decimal_commas_are_read(tmp_path: Path) -> None:
    (tmp_path / "online_retail_II.csv").write_text(RETAIL.replace(",13085.0,", ",one,", 1))
    with pytest.raises(SourceError, match="Customer ID holds 'one', which is no number of a customer"):
        _packages(tmp_path)
    (tmp_path / "online_retail_II.csv").write_text(_anew(RETAIL))
    assert ";13085,0;" in (tmp_path / "online_retail_II.csv").read_text()
    assert _packages(tmp_path) == PACKAGES


def test_the_order_of_a_file() -> None:
    assert order_of(["2010-12-03", None, 5]) is None
    assert order_of(["01/02/2010", "13/01/2010"]) == "day-first"
    with pytest.raises(UnclearDates):
        order_of(["01/02/2010"])


def test_the_workbook_in_the_zip_that_is_published(tmp_path: Path) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Year 2010-2011")
    sheet.append(["Invoice", "StockCode", "InvoiceDate", "Customer ID", "Country"])
    sheet.append([489434, 85048, datetime(2010, 12, 3, 9, 30), 13085.0, "United Kingdom"])
    sheet.append([489435, "79323W", "13/12/2010 14:05", 13085, "United Kingdom"])  # a date that was typed
    book.save(tmp_path / "online_retail_II.xlsx")
    with zipfile.ZipFile(tmp_path / "online+retail+ii.zip", "w") as archive:
        archive.write(tmp_path / "online_retail_II.xlsx", "online_retail_II.xlsx")
    (tmp_path / "online_retail_II.xlsx").unlink()
    assert _packages(tmp_path) == PACKAGES
