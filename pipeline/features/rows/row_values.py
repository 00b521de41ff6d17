"""The values of a day's rows that counters of later days sum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.schema import MISSING_INT
from pipeline.config.values import RowValue
from pipeline.features.frames.frame import Frame
from pipeline.features.rows.day import flat


def row_values(value: RowValue, frame: Frame) -> NDArray[np.float32]:
    """``[rows]``, NaN where a row has none."""
    columns = [_numbers(frame, column) for column in value.columns]
    found = columns[0] if len(columns) == 1 else np.fmax.reduce(columns)
    if value.over is not None:
        whole = _numbers(frame, value.over)
        there = whole > 0  # NaN is not
        found = np.where(there, found / np.where(there, whole, 1.0), np.nan)
    found = found / value.scale
    if value.clip is not None:
        found = np.clip(found, *value.clip)
    if value.log:
        found = np.sign(found) * np.log1p(np.abs(found))
    return found.astype(np.float32)


def _numbers(frame: Frame, column: str) -> NDArray[np.float64]:
    values = flat(frame[f"row.{column}"])
    numbers = values.astype(np.float64)
    if values.dtype.kind == "i":
        numbers[values == MISSING_INT] = np.nan
    return numbers
