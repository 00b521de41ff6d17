"""A day's rows: columns of one value a row, and of lists."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.features.frames.frame import Frame, Lists
from pipeline.features.rows.day import DayRows, flat
from tests.unit.pipeline.features.lessons import DAY


def rows(**items: object) -> DayRows:
    empty = Frame(0, {})
    columns = {f"item.{name}": column for name, column in items.items()}
    return DayRows(
        DAY, empty, np.zeros(0, np.int8), Frame(3, columns), np.zeros(0, np.int64), empty, None,  # type: ignore[arg-type]
        np.zeros(0, np.float32),
    )  # fmt: skip


def test_a_role_of_one_value_is_lists_of_one() -> None:
    role = rows(style=np.array([4, 5, 6])).role("style")
    assert (role.offsets.tolist(), role.values.tolist()) == ([0, 1, 2, 3], [4, 5, 6])
    sections = Lists.of([[1], [], [2, 3]], np.int64)
    assert rows(sections=sections).role("sections") is sections


def test_lists_are_never_taken_for_single_values() -> None:
    assert flat(np.array([1, 2])).tolist() == [1, 2]
    with pytest.raises(TypeError, match="holds lists where one value a row is needed"):
        flat(Lists.of([[1]], np.int64))
