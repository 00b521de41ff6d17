from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.tables import Table
from pipeline.engines.local import LocalEngine
from pipeline.ingest.check_rows import RawRows
from pipeline.ingest.cut_rows import cut_rows
from pipeline.storage.parquet_file import StoredTable


def cut(folder: Path, values: list[object], kind: str, parts: int) -> list[RawRows]:
    path = folder / "raw.parquet"
    # Few distinct texts are read with a dictionary.
    pq.write_table(pa.table({"key": values, "place": range(len(values))}), path, row_group_size=3)
    table = Table.model_validate({"source": "t", "columns": {"by": {"type": kind, "source": "key"}}})
    return cut_rows(LocalEngine(1), table, StoredTable(path), parts, folder / "cut", "UTC")


def rows_of(part: RawRows) -> list[tuple[object, object]]:
    read = part.read(["key", "place"])
    assert part.rows == read.num_rows
    pieces = pa.Table.from_batches(part.pieces(["place"]))
    assert pieces["place"].to_pylist() == read["place"].to_pylist()
    return [*zip(read["key"].to_pylist(), read["place"].to_pylist(), strict=True)]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([5, 1, 4, 1, 3, 2], "int", [[1, 1], [3, 2], [5, 4]]),
        (["5", "1", "4", "x", "", "2"], "int", [["1", "2"], ["5", "4"], ["x", ""]]),
        (["b", "aa", "a", "ba", None, "é"], "str", [["aa", "a"], ["b", "ba"], [None, "é"]]),
        ([0.5, None, -1.0, 0.25, 2.0, 3.0], "float", [[-1.0, 0.25], [0.5, 2.0], [None, 3.0]]),
    ],
)
def test_parts_follow_each_other_and_keep_the_order_of_the_extract(
    tmp_path: Path, values: list[object], kind: str, expected: list[list[object]]
) -> None:
    found = [rows_of(part) for part in cut(tmp_path, values, kind, 3)]
    assert [[value for value, _ in part] for part in found] == expected
    assert all([place for _, place in part] == sorted(place for _, place in part) for part in found)


def test_equal_values_stay_together_so_there_may_be_fewer_parts(tmp_path: Path) -> None:
    assert [len(rows_of(part)) for part in cut(tmp_path, [1, 1, 1, 1, 1, 2], "int", 6)] == [5, 1]


@pytest.mark.parametrize(("values", "parts"), [([1, 2, 3], 1), ([7, 7, 7], 3), ([None, None], 2)])
def test_a_table_that_is_not_to_be_cut_is_read_as_it_is(tmp_path: Path, values: list[object], parts: int) -> None:
    (whole,) = cut(tmp_path, values, "int", parts)
    assert whole.rows == len(values)
    assert not (tmp_path / "cut").exists()
