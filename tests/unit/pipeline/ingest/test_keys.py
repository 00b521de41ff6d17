"""Keys that days need of an undated table: as they are written, and as they are read."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config.tables import Column
from pipeline.ingest.keys import keys_of


def test_keys_are_read_as_validation_reads_them(tmp_path: Path) -> None:
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    pq.write_table(pa.table({"k": ["12_1", "12.0_4", " 7_1", "x_1", None]}), first)
    pq.write_table(pa.table({"k": [7, 100, None]}), second)
    number, part = Column(type="int"), Column(type="int", part=0)
    found = keys_of([(first, part, "k"), (second, number, "k"), (second, number, "gone")], "UTC")
    assert found == [" 7", "100", "12", "12.0", "7"]
    assert keys_of([], "UTC") == []


def test_a_key_is_looked_for_as_it_is_written_and_as_it_is_read(tmp_path: Path) -> None:
    names, numbers = tmp_path / "a.parquet", tmp_path / "b.parquet"
    pq.write_table(pa.table({"k": ["cafe\u0301", "café", "x"]}), names)
    pq.write_table(pa.table({"k": [1e11, 2.0**60, None]}), numbers)
    assert keys_of([(names, Column(type="str"), "k")], "UTC") == ["cafe\u0301", "café", "x"]
    assert keys_of([(numbers, Column(type="str"), "k")], "UTC") == ["100000000000"]
