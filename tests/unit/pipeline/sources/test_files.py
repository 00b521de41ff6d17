"""Tables that are files: by their day column, in other encodings, packed, in several files, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.tables import Table
from pipeline.days import Day
from pipeline.errors import SourceError, SourceInterrupted, UsageError
from pipeline.sources.base import Source
from pipeline.sources.open import open_source

FIRST, SECOND = Day.parse("2024-03-01"), Day.parse("2024-03-02")
LINES = "日期,用户,点击\n2024-03-01,7,1\n2024-03-02,8,\n2024-03-02,\"a,b\",0\n"


def opened(folder: Path, **settings: Any) -> Source:
    columns = {"day": {"type": "day", "source": "日期"}, "user": {"type": "str", "source": "用户"}}
    table = Table.model_validate({"source": "shows", "day": "day", "columns": columns} | settings)
    return open_source(f"files:{folder}", "X", {"shows": table})


def rows(source: Source, day: Day | None, columns: tuple[str, ...] = ("用户", "点击")) -> list[Any]:
    reading = source.read("shows", columns, day, chunk_rows=2)
    return [list(row.values()) for batch in reading.batches for row in batch.to_pylist()]


def test_a_day_of_a_table_of_text_whose_names_are_chinese(tmp_path: Path) -> None:
    (tmp_path / "shows.csv").write_bytes(LINES.encode("gb18030"))
    source = opened(tmp_path, text={"encoding": "gb18030"})
    assert rows(source, FIRST) == [["7", "1"]]
    assert rows(source, SECOND) == [["8", None], ["a,b", "0"]]
    assert rows(source, SECOND.next()) == []
    assert (source.count("shows", SECOND), source.has_rows("shows", SECOND.next())) == (2, False)
    found = source.contents("shows", ["用户", "价格"], dated=True)
    assert (found.days, found.first, found.last, found.rows, found.missing) == (2, FIRST, SECOND, 2, ("价格",))
    reading = source.read("shows", ["用户", "价格"], FIRST, chunk_rows=9)
    assert (reading.missing, reading.others) == (("价格",), ("日期", "点击"))


@pytest.mark.parametrize("name", ["shows.csv.gz", "shows.tsv"])
def test_packed_and_by_tabs(name: str, tmp_path: Path) -> None:
    if name.endswith(".gz"):
        (tmp_path / name).write_bytes(gzip.compress(LINES.encode("utf-8-sig")))
    else:
        (tmp_path / name).write_text(LINES.replace(",", "\t").replace("a\tb", "a,b"), encoding="utf-8")
    assert rows(opened(tmp_path), SECOND) == [["8", None], ["a,b", "0"]]


def test_text_as_its_table_says_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "shows.csv").write_text('日期;用户;点击\n20240301;"7;1\n', encoding="utf-8")
    assert rows(opened(tmp_path, text={"delimiter": ";", "quote": None}), FIRST) == [['"7', "1"]]


def test_several_files_of_a_folder_one_without_a_column(tmp_path: Path) -> None:
    (tmp_path / "shows").mkdir()
    pq.write_table(
        pa.table({"日期": pa.array([FIRST.date, SECOND.date]), "用户": [1, 2]}), tmp_path / "shows" / "b.parquet"
    )
    (tmp_path / "shows" / "a.csv").write_text(LINES, encoding="utf-8")
    (tmp_path / "shows" / "_old.csv").write_text("x\n1\n", encoding="utf-8")
    assert rows(opened(tmp_path), FIRST) == [["7", "1"], [1, None]]


def test_an_undated_table_is_read_whole_and_its_version_changes_with_it(tmp_path: Path) -> None:
    (tmp_path / "shows.csv").write_text(LINES, encoding="utf-8")
    source = opened(tmp_path, dated=False, key=["user"], day=None)
    assert len(rows(source, None)) == source.count("shows", None) == 3
    before = source.version("shows")
    (tmp_path / "shows.csv").write_text(LINES + "2024-03-03,9,1\n", encoding="utf-8")
    assert (source.version("shows") != before, source.count("shows", None)) == (True, 4)


def test_a_file_that_grew_is_looked_through_again(tmp_path: Path) -> None:
    (tmp_path / "shows.csv").write_text(LINES, encoding="utf-8")
    source = opened(tmp_path)
    assert source.count("shows", FIRST) == 1
    (tmp_path / "shows.csv").write_text(LINES + "2024-03-01,9,1\n", encoding="utf-8")
    assert source.count("shows", FIRST) == 2


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("shows.csv", LINES + "2024-03-02,9\n", r"cannot be read as text with ',' .*Expected 3 columns, got 2"),
        ("shows.csv", "日期,日期\n1,2\n", "its first line names 日期 more than once"),
        ("shows.csv", "date,用户\n2024-03-01,1\n", "has no column '日期', the table's day; only date, 用户"),
        ("shows.csv", "日期,用户\nyesterday,1\n", r"says of no row which day it is of \(the first: 'yesterday'\)"),
        ("shows.csv", "日期,用户\n2024-03-01T22:00:00+08:00,1\n", "holds instants with a time zone"),
        ("shown.csv", LINES, r"no file shows.csv .* there are: shown.csv"),
        ("shows.parquet", "text", "cannot be read as Parquet"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_to_do(name: str, text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=told):
        rows(opened(tmp_path), FIRST, ("用户",))


def test_another_encoding_than_the_table_says(tmp_path: Path) -> None:
    (tmp_path / "shows.csv").write_bytes(LINES.encode("gb18030"))
    with pytest.raises(SourceError, match=r"shows.csv: is not utf-8 .*`text: \{encoding: gb18030\}`"):
        rows(opened(tmp_path), FIRST)
    with pytest.raises(ValueError, match="'gb' is no encoding of text"):
        opened(tmp_path, text={"encoding": "gb"})


def test_a_dated_table_needs_a_day_and_a_url_a_folder(tmp_path: Path) -> None:
    (tmp_path / "shows.csv").write_text(LINES, encoding="utf-8")
    with pytest.raises(SourceError, match="its table declares no `day:`"):
        rows(opened(tmp_path, day=None), FIRST)
    with pytest.raises(SourceError, match="no such folder; set X"):
        opened(tmp_path / "none").check()
    with pytest.raises(UsageError, match="names no folder"):
        open_source("files:", "X", {})
    (tmp_path / "shows.tsv").write_text("a", encoding="utf-8")
    with pytest.raises(SourceError, match="all are called 'shows'; keep the right one"):
        rows(opened(tmp_path), FIRST)


def test_a_file_that_grows_while_it_is_read_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "shows.csv"
    path.write_text(LINES)
    source = opened(tmp_path)
    days = source._days_of("shows", source._files("shows")[0])  # type: ignore[attr-defined]
    path.write_text(LINES + "2024-03-02,9,1\n")
    source._days_of = lambda *_: days  # type: ignore[attr-defined]
    with pytest.raises(SourceInterrupted, match=r"shows\.csv: changed while it was read"):
        rows(source, SECOND)
