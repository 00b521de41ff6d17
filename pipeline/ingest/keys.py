"""The keys of an undated table that some days need: those in their own rows, and those known before."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.config.tables import Column
from pipeline.ingest.parse.columns import parse_column, spellings

_ROWS = 100_000


def keys_of(files: Iterable[tuple[Path, Column, str]], zone: str) -> list[str]:
    """The distinct keys in columns of extracted files as text, in the order of their bytes.

    Keys are read as validation reads them, and what is no key is left out. A key that is written otherwise than it is
    read (``12.0``, ``' 12'``, a letter and its accent apart) is there in both ways: a store finds rows by their bytes,
    and rows that come twice so have one key once they are read.

    Args:
        files: each with the declaration of its column and the column's name in the file; a file may lack the column.
        zone: the business time zone.
    """
    found: list[pa.Array] = []
    for path, column, name in files:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            if name not in file.schema_arrow.names:
                continue
            for batch in file.iter_batches(_ROWS, columns=[name], use_threads=False):
                values = parse_column(batch.column(0), column, zone).values
                found.append(pc.unique(values.drop_null().cast(pa.string())))
                for written in spellings(batch.column(0), column):
                    found.append(pc.unique(written.filter(values.is_valid()).drop_null()))
                # Folded as they come: the memory is that of the distinct keys.
                if len(found) > 8:
                    found = [pc.unique(pa.concat_arrays(found))]
    if not found:
        return []
    keys = pc.unique(pa.concat_arrays(found))
    return [str(each) for each in keys.take(pc.sort_indices(keys)).to_pylist()]
