from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa

from pipeline.config.homework import Package
from pipeline.features.frames.frame import Lists
from pipeline.features.rows.packages import BaseIds, packages, sorted_distinct

INTS = pa.list_(pa.int64())


def rows(chapters: list[list[int]], sections: list[list[int]], style: list[int | None] | None = None) -> pa.Table:
    count = len(chapters)
    return pa.table({
        "chapter_id": pa.array(chapters, INTS), "section_id": pa.array(sections, INTS),
        "style": pa.array(style or [1] * count, pa.int64()), "reflect_id": pa.array([None] * count, pa.int64()),
    })  # fmt: skip


def unpacked(lists: Lists) -> list[list[int]]:
    ends = lists.offsets.tolist()
    return [lists.values[a:b].tolist() for a, b in pairwise(ends)]


def test_key_is_the_distinct_sections_sorted_as_numbers_and_the_style() -> None:
    found = packages(rows([[3], [3, 3]], [[10, 9, 10], [7]], [2, None]), Package(), None)
    assert found.key.tolist() == ["9,10|2", "7|"]
    assert unpacked(found.sections) == [[9, 10], [7]]
    assert unpacked(found.chapters) == [[3], [3]]
    assert unpacked(found.style) == [[2], []]


def test_key_of_sections_alone_and_of_text() -> None:
    table = pa.table({"chapter_id": pa.array([[1]], INTS), "section_id": pa.array([["b", "a", "A"]])})
    settings = Package(style=None, reflect=None, key=("sections",))
    assert packages(table, settings, None).key.tolist() == ["A,a,b"]


def base(*entries: tuple[int, int, int, int]) -> BaseIds:
    return BaseIds(*(np.array(column, np.int64) for column in zip(*entries, strict=True)))


def test_base_section_is_that_of_the_section_within_its_chapter() -> None:
    # Section 5 stands in two chapters under different base ids; alone the first row counts.
    mapping = base((10, 5, 1, 50), (20, 5, 2, 60), (20, 6, 2, 61))
    found = packages(rows([[20], [10, 20], [30]], [[5, 6], [5], [5]]), Package(), mapping)
    assert unpacked(found.sections) == [[60, 61], [50], [50]]
    assert unpacked(found.chapters) == [[2], [1, 2], [30]]  # chapter 30 is not mapped and stands for itself


def test_without_any_base_section_a_row_is_left_out_and_counted() -> None:
    mapping = base((10, 5, 1, -1), (10, 6, 1, 61))
    found = packages(rows([[10], [10], [10]], [[5], [5, 6], [6]]), Package(), mapping)
    assert found.no_base == 1
    assert found.rows.tolist() == [1, 2]
    assert found.key.tolist() == ["61|1", "61|1"]


def test_sorted_distinct_of_empty_rows() -> None:
    assert unpacked(sorted_distinct(Lists.of([[], [3, 1, 3], []], np.int64))) == [[], [1, 3], []]
