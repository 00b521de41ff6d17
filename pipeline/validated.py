"""Reading validated tables."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.artifacts import Artifact
from pipeline.validation import NEXT


def read(artifact: Artifact, table: str, columns: Sequence[str] | None = None) -> pa.Table:
    """A table of a validated day, typed, in canonical order; of an undated one, as the day may know it."""
    wanted = None if columns is None else list(columns)
    return pq.read_table(artifact.file(f"{table}.parquet"), columns=wanted, use_threads=False)


def read_next(artifact: Artifact, table: str, columns: Sequence[str] | None = None) -> pa.Table:
    """An undated table as the day after may know it: what a release built in this day's run serves."""
    name = f"{table}{NEXT}"
    return read(artifact, name if f"{name}.parquet" in artifact.manifest.files else table, columns)
