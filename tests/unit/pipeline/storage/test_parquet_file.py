from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.errors import CorruptArtifact
from pipeline.storage import parquet_file

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
