from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import CorruptArtifact
from pipeline.storage import parquet_file
from pipeline.storage.parquet_file import StoredTable

ROWS = pa.table({"id": list(range(5000)), "name": [f"name {each % 17}" for each in range(5000)]})


def test_what_was_written_is_read(tmp_path: Path) -> None:
    parquet_file.write(tmp_path / "rows.parquet", ROWS)
    assert parquet_file.read(tmp_path / "rows.parquet").equals(ROWS)
    assert parquet_file.read(tmp_path / "rows.parquet", ["name"]).column_names == ["name"]


def test_text_may_come_as_places_in_a_dictionary_also_within_lists(tmp_path: Path) -> None:
    rows = pa.table({"name": ["b", None, "b"], "names": [["x", "y"], None, ["x"]]})
    parquet_file.write(tmp_path / "rows.parquet", rows)
    found = parquet_file.read(tmp_path / "rows.parquet", words=True)
    words = pa.dictionary(pa.int32(), pa.string())
    assert (found.schema.field("name").type, found.schema.field("names").type.value_type) == (words, words)
    assert found.to_pylist() == rows.to_pylist()


@pytest.mark.parametrize("place", [100, 1000, 3000])
def test_one_bit_of_a_page_is_noticed(tmp_path: Path, place: int) -> None:
    path = tmp_path / "rows.parquet"
    parquet_file.write(path, ROWS)
    data = bytearray(path.read_bytes())
    assert len(data) > place + 500
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptArtifact, match=r"rows\.parquet: damaged"):
        parquet_file.read(path)


def test_a_file_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        parquet_file.read(tmp_path / "rows.parquet")


def test_a_table_comes_in_pieces_few_texts_with_a_dictionary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_file, "PIECE", 2000)
    path = tmp_path / "rows.parquet"
    words = ROWS.append_column("word", pa.array([f"a word of its own: {each}" for each in range(5000)]))
    parquet_file.write_pieces(path, parquet_file.pieces_of(words))
    stored = StoredTable(path)
    assert (stored.names, stored.rows) == (["id", "name", "word"], 5000)
    pieces = list(stored.pieces(["word", "name"]))
    assert sum(piece.num_rows for piece in pieces) == 5000
    assert max(piece.num_rows for piece in pieces) <= 2000
    assert pieces[0].schema.names == ["word", "name"]
    assert pieces[0].schema.field("word").type == pa.string()
    assert pa.types.is_dictionary(pieces[0].schema.field("name").type)
    assert [row for piece in pieces for row in piece.column("name").to_pylist()] == ROWS["name"].to_pylist()
    assert stored.read(["id"]).equals(ROWS.select(["id"]))


def test_a_table_without_rows_is_one_piece(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    parquet_file.write_pieces(path, parquet_file.pieces_of(ROWS.slice(0, 0)))
    assert [piece.num_rows for piece in StoredTable(path).pieces(["name"])] == [0]
    assert parquet_file.read(path).schema.equals(ROWS.schema)


def test_a_damaged_piece_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    parquet_file.write(path, ROWS)
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptArtifact, match=r"rows\.parquet: damaged"):
        list(StoredTable(path).pieces(["id", "name"]))


def test_pieces_are_in_the_usual_layout() -> None:
    coded = pa.array(["a", "b", "a"]).dictionary_encode()
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 3], pa.int32()), coded)
    (piece,) = parquet_file.pieces_of(pa.table({"l": lists}))
    assert piece.column("l").type == pa.list_(pa.string())
    assert piece.column("l").to_pylist() == [["a", "b"], ["a"]]


@pytest.mark.parametrize(("first", "last"), [(0, 7), (0, 3), (2, 5), (3, 6), (6, 7), (4, 4), (7, 7), (0, 0)])
def test_some_rows_whatever_groups_they_are_in(tmp_path: Path, first: int, last: int) -> None:
    rows = pa.table({"n": range(7), "words": [["a"], ["b", "a"], [], None, ["c"], ["a", "a"], ["b"]]})
    pq.write_table(rows, tmp_path / "a.parquet", row_group_size=3)
    assert parquet_file.read_rows(tmp_path / "a.parquet", first, last).to_pylist() == rows.to_pylist()[first:last]
