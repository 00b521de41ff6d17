from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from pipeline.config.tables import TextFiles
from pipeline.errors import SourceError
from pipeline.sources.table_file import kinds, table_file


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("a.csv", True), ("a.tsv.gz", True), ("a.txt", True), ("a.parquet", True), ("a.parquet.gz", False),
     ("a.json", False)],
)  # fmt: skip
def test_what_a_table_may_be_kept_in(name: str, is_one: bool) -> None:
    assert kinds(Path(name)) is is_one
    assert kinds(Path(name), "a") is is_one
    assert not kinds(Path(name), "b")


def test_cells_are_text_and_come_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('x,y\n1,"two\nlines"\n,3\n05,6\n', encoding="utf-8")
    file = table_file(tmp_path / "a.csv", TextFiles())
    assert file.names == ["x", "y"]
    pieces = [batch.to_pydict() for batch in file.batches(["y", "x"], 2)]
    assert pieces == [{"y": ["two\nlines", "3"], "x": ["1", None]}, {"y": ["6"], "x": ["05"]}]


def test_lines_of_another_number_of_cells_are_told_to_who_asks_and_errors_else(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3\n4,5\n", encoding="utf-8")
    told: list[tuple[str, str]] = []
    file = table_file(tmp_path / "a.csv", TextFiles(), lambda why, line: told.append((why, line)))
    assert [batch.to_pydict() for batch in file.batches(["x"], 9)] == [{"x": ["1", "4"]}]
    assert told == [("1 cells, where the header has 2", "3")]
    with pytest.raises(SourceError, match="Expected 2 columns, got 1"):
        list(table_file(tmp_path / "a.csv", TextFiles()).batches(["x"], 9))


def test_a_file_without_a_byte_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"")
    with pytest.raises(SourceError, match="is empty; its first line names the columns"):
        _ = table_file(tmp_path / "a.csv", TextFiles()).names


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.csv", r"is not utf-8 .*; a packed file's name ends so too \(.csv.gz\)"),
        ("a.csv.gz", "cannot be read or unpacked: .*; write the file again"),
    ],
)
def test_a_packed_file_of_another_name_and_one_cut_off_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    """And nothing besides: what is no text has no lines that could be asked about."""
    packed = gzip.compress(b"x,y\n1,2\n" + random.Random(1).randbytes(3000))
    (tmp_path / name).write_bytes(packed if name == "a.csv" else packed[:-1000])
    with pytest.raises(SourceError, match=words):
        list(table_file(tmp_path / name, TextFiles(), lambda why, line: None).batches(["x"], 9))
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "said", "told"),
    [
        ("utf-8", "ascii", "the table's `text: {encoding: ascii}` says so; it seems to be utf-8: leave `encoding` out"),
        ("gb18030", "ascii", "says so; it seems to be gb18030: write `encoding: gb18030`"),
        ("gb18030", None, "say how the table's text is written: `text: {encoding: gb18030}`"),
    ],
)
def test_letters_that_are_others_than_was_said(tmp_path: Path, written: str, said: str | None, told: str) -> None:
    (tmp_path / "a.csv").write_bytes("x,y\n张三,1\n李四,2\n".encode(written))
    form = TextFiles(encoding=said) if said is not None else TextFiles()
    with pytest.raises(SourceError) as raised:
        list(table_file(tmp_path / "a.csv", form).batches(["x"], 9))
    assert f"is not {said or 'utf-8'}" in str(raised.value)
    assert told in str(raised.value)


def test_a_delimiter_that_is_set_is_not_advised(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x;y\n1;2\n3\n", encoding="utf-8")
    told = r"Expected 2 .*; correct the line; the table's `text: \{delimiter: ';'\}` says so"
    with pytest.raises(SourceError, match=told):
        list(table_file(tmp_path / "a.csv", TextFiles(delimiter=";")).batches(["x"], 9))
