"""Reading validated tables."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from pipeline import parquet_file
from pipeline.artifacts import Artifact
from pipeline.validation import NEXT


def read(artifact: Artifact, table: str, columns: Sequence[str] | None = None) -> pa.Table:
    """A table of a validated day, typed, in canonical order; of an undated one, as the day may know it."""
    return parquet_file.read(artifact.file(f"{table}.parquet"), columns)


def read_next(artifact: Artifact, table: str, columns: Sequence[str] | None = None) -> pa.Table:
    """An undated table as the day after may know it: what a release built in this day's run serves."""
    name = f"{table}{NEXT}"
    return read(artifact, name if f"{name}.parquet" in artifact.manifest.files else table, columns)
