"""A day's rows of a job for homework: packages by their roles."""

from __future__ import annotations

import numpy as np

from pipeline.features.frames.frame import Column, Frame, Lists
from pipeline.features.rows.homework_day import HomeworkDay, Judged
from tests.unit.pipeline.features.lessons import DAY


def rows(**items: Column) -> HomeworkDay:
    empty = Frame(0, {})
    columns = {f"item.{name}": column for name, column in items.items()}
    return HomeworkDay(
        day=DAY, events=empty, label=np.zeros(0, np.int8), items=Frame(3, columns), event_item=np.zeros(0, np.int64),
        requests=empty, weight=np.zeros(0, np.float32), judged=Judged.nothing(),
    )  # fmt: skip


def test_a_role_of_one_value_is_lists_of_one() -> None:
    role = rows(style=np.array([4, 5, 6])).role("style")
    assert (role.offsets.tolist(), role.values.tolist()) == ([0, 1, 2, 3], [4, 5, 6])
    sections = Lists.of([[1], [], [2, 3]], np.int64)
    assert rows(sections=sections).role("sections") is sections
