"""The level of each row: what came of it, as later days read it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.schema import MISSING_INT, MISSING_STR
from pipeline.config.outcome_levels import Condition, Within
from pipeline.features.frames.frame import Array, Frame
from pipeline.features.frames.texts import Texts
from pipeline.features.rows.day import flat


def level_of(levels: Mapping[str, Mapping[str, Condition]], frame: Frame) -> Texts:
    """The name of the first level whose rule a row fits, ``[rows]``; missing where it fits none."""
    names = [*levels]
    found = np.full(frame.rows, len(names), np.int32)
    for place, rule in reversed([*enumerate(levels.values())]):
        fits = np.ones(frame.rows, bool)
        for column, condition in rule.items():
            fits &= _fits(flat(frame[f"row.{column}"]), condition)
        found[fits] = place
    return Texts(np.array([*names, MISSING_STR], object), found)


def _fits(values: Array, condition: Condition) -> NDArray[np.bool_]:
    """Where a column is what it has to be; a missing value is nothing."""
    if isinstance(condition, Within):
        return _within(values, condition)
    fits = np.zeros(len(values), bool)
    for value in condition if isinstance(condition, tuple) else (condition,):
        fits |= np.asarray(values == value, bool)
    return fits


def _within(values: Array, limits: Within) -> NDArray[np.bool_]:
    numbers = values.astype(np.float64)
    fits = ~np.isnan(numbers) if values.dtype.kind == "f" else np.asarray(values != MISSING_INT)
    if limits.above is not None:
        fits &= numbers > limits.above
    if limits.at_least is not None:
        fits &= numbers >= limits.at_least
    if limits.below is not None:
        fits &= numbers < limits.below
    if limits.at_most is not None:
        fits &= numbers <= limits.at_most
    return fits
