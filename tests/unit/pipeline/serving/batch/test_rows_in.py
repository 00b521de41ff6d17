from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.tables import Table
from pipeline.days import Day
from pipeline.errors import DataError, UsageError
from pipeline.serving.batch import rows_in
from pipeline.serving.batch.rows_in import RowsIn

TABLE = Table.model_validate({"source": "log", "columns": {"a": {"type": "int", "source": "A"}, "b": {"type": "str"}}})
DAY = Day.of(2024, 3, 4)


def read(given: Path | str, carried: tuple[str, ...] = (), day: Day | None = None) -> list[dict[str, object]]:
    found = RowsIn(str(given), TABLE, carried, day)
    return [row for piece in found.pieces() for row in piece.to_pylist()]


def test_cells_of_text_are_text_and_empty_ones_missing(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('A,b,more\n1,"x, y",\n,007,z\n')
    expected = [{"A": "1", "b": "x, y", "more": None}, {"A": None, "b": "007", "more": "z"}]
    assert read(path) == expected
    packed = tmp_path / "rows.tsv.gz"
    packed.write_bytes(gzip.compress(b"A\tb\tmore\n1\tx, y\t\n\t007\tz\n"))
    assert read(packed) == expected


@pytest.mark.parametrize(("encoding", "delimiter"), [("gbk", ";"), ("utf-16", "|"), ("utf-8-sig", ",")])
def test_what_separates_cells_and_how_letters_are_written_are_settings_of_the_table(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    columns = {"a": {"type": "int", "source": "编号"}, "b": {"type": "str"}}
    written = {"delimiter": delimiter, "encoding": encoding}
    table = Table.model_validate({"source": "log", "columns": columns, "text": written})
    path = tmp_path / "rows.csv"
    path.write_bytes(f"编号{delimiter}b\n7{delimiter}张三\n{delimiter}é\n".replace("é", "的").encode(encoding))
    found = RowsIn(str(path), table, (), None)
    assert [row for piece in found.pieces() for row in piece.to_pylist()] == [
        {"编号": "7", "b": "张三"}, {"编号": None, "b": "的"},
    ]  # fmt: skip


def test_a_delimiter_of_several_letters_and_an_unknown_encoding_are_refused() -> None:
    for text, told in (({"delimiter": "||"}, "delimiter"), ({"encoding": "gbx"}, "'gbx' is no encoding of text")):
        with pytest.raises(ValueError, match=told):
            Table.model_validate({"source": "log", "columns": {}, "text": text})


def test_a_folder_is_read_file_by_file_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_in, "PIECE", 2)
    (tmp_path / "_SUCCESS.csv").write_text("nothing\n")
    (tmp_path / "day=1").mkdir()
    pq.write_table(pa.table({"A": [1, 2, 3]}), tmp_path / "day=1" / "one.parquet")
    (tmp_path / "two.csv").write_text("A\n4\n")
    found = RowsIn(str(tmp_path), TABLE, (), None)
    assert [piece.to_pydict() for piece in found.pieces()] == [{"A": [1, 2]}, {"A": [3]}, {"A": ["4"]}]


def test_a_day_of_a_source_has_the_declared_columns_and_those_carried(tmp_path: Path) -> None:
    folder = tmp_path / "log" / f"day={DAY}"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"A": [1], "b": ["x"], "more": [2.5], "unread": [0]}), folder / "part.parquet")
    assert read(f"parquet:{tmp_path}", ("more",), DAY) == [{"A": 1, "b": "x", "more": 2.5}]
    with pytest.raises(UsageError, match="name it with --day"):
        read(f"parquet:{tmp_path}")


def test_lines_with_another_number_of_cells_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("A,b\n1,x\n2\n3,y,z\n4,w\n")
    found = RowsIn(str(path), TABLE, (), None)
    assert [row["A"] for piece in found.pieces() for row in piece.to_pylist()] == ["1", "4"]
    assert found.misshapen == [
        ("1 cells, where the header has 2", "2"), ("3 cells, where the header has 2", "3,y,z"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "error", "words"),
    [
        ("rows.xlsx", b"", UsageError, "end its name in"),
        ("rows.csv", b"", DataError, "is empty"),
        ("rows.csv", b"A,A\n1,2\n", DataError, "names A more than once"),
        ("rows.csv", b"1,1,x\n2,,y\n", DataError, r"names none of the declared columns \(A, b\): 1, 1, x; put a line"),
        ("rows.csv", b"A\tb\n1\tx\n", DataError, "declared columns .*: A\tb; .* of .tsv and .txt between tabs"),
        ("rows.csv", b"a,B\n1,2\n", DataError, r"declared columns .*: a, B \(capitals are told from small letters\)"),
        ("rows.parquet", b"no parquet", DataError, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str, content: bytes, error: type, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=words):
        read(tmp_path / name)


def test_nothing_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        read(tmp_path / "rows.csv")
    with pytest.raises(UsageError, match="holds no"):
        read(tmp_path)
    with pytest.raises(UsageError, match="names nothing to read"):
        RowsIn("", TABLE, (), None)


@pytest.mark.parametrize(
    ("folder", "day"),
    [("dt=2024-03-05", DAY.next()), ("2024-03-05", DAY.next()), ("year=2024/month=03/day=05", DAY.next()),
     ("dt=2024-03-05/load=20240401", DAY.next()), ("rows", DAY)],
)  # fmt: skip
def test_the_day_of_a_file_is_that_of_its_folder_else_what_was_said(tmp_path: Path, folder: str, day: Day) -> None:
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "rows.csv").write_text("A\n1\n")
    for given in (tmp_path, tmp_path / folder, tmp_path / folder / "rows.csv"):
        found = RowsIn(str(given), TABLE, (), DAY)
        assert [(found.day, piece.num_rows) for piece in found.pieces()] == [(day, 1)]
