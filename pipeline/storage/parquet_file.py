"""Parquet files of artefacts: pages carry checksums, so damage on the disk is an error, never other rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import CorruptArtifact

WRITING: dict[str, Any] = {"compression": "zstd", "write_page_checksum": True}
"""How every file of an artefact is written."""


def write(path: Path, rows: pa.Table) -> None:
    """Write a whole table."""
    pq.write_table(rows, path, **WRITING)


def read(path: Path, columns: Sequence[str] | None = None, *, words: bool = False, **options: Any) -> pa.Table:
    """A table, or some columns of it; raises ``CorruptArtifact`` if the file is not as it was written.

    Args:
        words: text as places in a dictionary, as it is stored.
    """
    wanted = None if columns is None else list(columns)
    try:
        if words:
            options["read_dictionary"] = _texts(pq.read_metadata(path).schema)
        return pq.read_table(path, columns=wanted, use_threads=False, page_checksum_verification=True, **options)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise CorruptArtifact(
            f"{path}: damaged ({error}); delete the folder {path.parent} and run the stage of that day again"
        ) from None


def _texts(schema: pq.ParquetSchema) -> list[str]:
    leaves = [schema.column(place) for place in range(len(schema))]
    return [leaf.path for leaf in leaves if leaf.logical_type.type == "STRING"]
