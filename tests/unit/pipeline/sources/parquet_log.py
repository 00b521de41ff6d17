"""A table `log` of Parquet files in folders of a test's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.days import Day
from pipeline.sources.parquet import ParquetSource

DAY = Day.of(2024, 2, 26)


def write_log(root: Path, files: Mapping[str, Sequence[int] | bytes | None]) -> ParquetSource:
    """A table `log` of these files: rows of a column `n`, or bytes; an empty folder for None."""
    for name, rows in files.items():
        path = root / "log" / name
        (path if rows is None else path.parent).mkdir(parents=True, exist_ok=True)
        if isinstance(rows, bytes):
            path.write_bytes(rows)
        elif rows is not None:
            pq.write_table(pa.table({"n": pa.array(rows, pa.int64())}), path)
    return ParquetSource(f"parquet:{root}", "DAYSPRING_TINY_URL")


def rows_of(source: ParquetSource, day: Day | None = DAY, columns: Sequence[str] = ("n",)) -> list[Any]:
    reading = source.read("log", list(columns), day, chunk_rows=100)
    assert reading.missing == ()
    rows = [row for batch in reading.batches for row in batch.to_pylist()]
    assert source.count("log", day) == len(rows)
    assert source.has_rows("log", day) == bool(rows)
    return [tuple(row.values()) for row in rows]
