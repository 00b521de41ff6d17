"""What a column is read as, for the tests of each kind of column."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from pipeline.config.tables import Column
from pipeline.ingest.parse.columns import parse_column

ZONE = "Asia/Shanghai"


def read(values: Any, **column: Any) -> list[tuple[Any, str]]:
    """Each value, and why it is invalid."""
    array = values if isinstance(values, pa.Array) else pa.array(values)
    parsed = parse_column(array, Column(**column), ZONE)
    return list(zip(parsed.values.to_pylist(), map(parsed.reason, range(len(array))), strict=True))
