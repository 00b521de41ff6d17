"""Ids of both types, and the days on which they are given."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.days import Day

D1, D2, D3, D4 = (Day.of(2024, 3, number) for number in (1, 2, 3, 4))


def ints(*values: int) -> np.ndarray[Any, Any]:
    return np.array(values, np.int64)


def texts(*values: str | None) -> np.ndarray[Any, Any]:
    return np.array([*values, None], object)[:-1]
