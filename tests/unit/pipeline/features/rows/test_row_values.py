"""The values of rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from models.schema import MISSING_INT
from pipeline.config.values import RowValue
from pipeline.features.frames.frame import Frame
from pipeline.features.rows.row_values import row_values

FRAME = Frame(4, {
    "row.play": np.array([30_000.0, 200_000.0, np.nan, 500.0]),
    "row.length": np.array([10_000, 0, 7, MISSING_INT]),
    "row.like": np.array([0, 1, MISSING_INT, MISSING_INT]),
    "row.share": np.array([0, 0, 1, MISSING_INT]),
    "row.change": np.array([-3.0, 0.0, 8.0, np.nan]),
})  # fmt: skip
NONE = math.nan


def values(**settings: Any) -> Any:
    found = row_values(RowValue.model_validate(settings), FRAME)
    assert found.dtype == np.float32
    return pytest.approx(found.tolist(), nan_ok=True)


def test_a_value_is_scaled_then_clipped_then_its_logarithm() -> None:
    assert values(column="play") == [30_000, 200_000, NONE, 500]
    clipped = [math.log(31), math.log(91), NONE, math.log(1.5)]
    assert values(column="play", scale=1000, clip=(0, 90), log=True) == clipped
    assert values(column="change", log=True) == [-math.log(4), 0, math.log(9), NONE]


def test_a_part_of_nothing_or_of_what_is_missing_is_none() -> None:
    assert values(column="play", over="length") == [3, NONE, NONE, NONE]
    assert values(column="play", over="length", clip=(0, 1.5)) == [1.5, NONE, NONE, NONE]


def test_any_of_several_is_the_greatest_that_is_there() -> None:
    assert values(column=("like", "share")) == [0, 1, 1, NONE]
