from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import DataError, UsageError
from pipeline.serving.batch.rows_out import RowsOut


def test_pieces_are_one_file_that_is_there_at_the_end(tmp_path: Path) -> None:
    for name in ("out.csv", "out.parquet"):
        with RowsOut(tmp_path / name) as out:
            out.write(pa.table({"a": [1, 2], "b": pa.array(["x", "y"]).dictionary_encode()}))
            out.write(pa.table({"a": [3], "b": pa.array(["z"]).dictionary_encode()}))
            assert not (tmp_path / name).exists()
            out.commit()
        assert out.rows == 3
    assert (tmp_path / "out.csv").read_text() == '"a","b"\n1,"x"\n2,"y"\n3,"z"\n'
    assert pq.read_table(tmp_path / "out.parquet").to_pydict() == {"a": [1, 2, 3], "b": ["x", "y", "z"]}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "out.parquet"]


def test_what_breaks_off_leaves_the_file_before(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")
    with RowsOut(path) as out:
        out.write(pa.table({"a": [1]}))
        with pytest.raises(DataError, match="rows of other columns"):
            out.write(pa.table({"a": ["no number"]}))
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["out.csv"]


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"end its name in \.csv or \.parquet"):
        RowsOut(tmp_path / "out.xlsx")
    with pytest.raises(UsageError, match="there is no folder"):
        RowsOut(tmp_path / "nowhere" / "out.csv")
    with pytest.raises(UsageError, match="many hold lists"), RowsOut(tmp_path / "out.csv") as out:
        out.write(pa.table({"many": [[1, 2]]}))
