"""Candidates of requests for homework, and their labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.features.arrays.homework_items import homework_items
from pipeline.features.arrays.items import DayItems
from pipeline.features.arrays.pool import Pool
from pipeline.features.frames.frame import Lists
from pipeline.features.rows.homework_day import HomeworkDay, Judged
from pipeline.serving.raw_look_up import RawIds
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School

SCHOOL = School()
KEYS = ["11|1", "12|1", "21|1", "13|1", "12|3"]
"""The packages; all but the third are of chapter 1, and their places are 3, 1, 2, 4, 0."""


def found(rows: HomeworkDay, keys: list[str] = KEYS) -> DayItems:
    look = RawIds(SCHOOL.plan)
    chapters = Lists.of([[2] if key == "21|1" else [1] for key in keys], np.int64)
    sections = Lists.of([[int(key[:2])] for key in keys], np.int64)
    order = np.int64([3, 1, 2, 4, 0][: len(keys)])
    pool = Pool.of(look.codes("package", keys), {"chapters": chapters, "sections": sections}, chapters, order)
    return homework_items(SCHOOL.plan, SCHOOL.plan.request, rows, look, pool)


def judged(others: int, *pairs: tuple[int, str, int]) -> HomeworkDay:
    """Requests of the chapters 1, and 1 and 2, of which some pairs were judged."""
    request, key, label = zip(*pairs, strict=True) if pairs else ((), (), ())
    known = Judged(np.int64(request), np.array(key, object), np.int8(label), others)
    return replace(SCHOOL.rows(DAY), judged=known)


def named(items: DayItems) -> list[list[tuple[str, int]]]:
    pairs = [(str(items.raw[at]), int(label)) for at, label in zip(items.pair_item, items.label[:, 0], strict=True)]
    return [pairs[a:b] for a, b in zip(items.offsets[:-1], items.offsets[1:], strict=True)]


def test_the_best_three_of_the_chapters_asked_for_each_with_what_is_known_of_it_there() -> None:
    rows = judged(-1, (1, "12|1", 0), (0, "12|3", 1), (0, "11|1", 1), (1, "99|9", 1), (0, "13|1", 1))
    items = found(rows)
    # 13|1 is fourth of its request, 99|9 no candidate at all: their labels are nobody's.
    assert named(items) == [
        [("12|3", 1), ("12|1", -1), ("11|1", 1)], [("12|3", -1), ("12|1", 0), ("21|1", -1)],
    ]  # fmt: skip


def test_candidates_that_were_not_judged_may_be_negative() -> None:
    assert named(found(judged(0, (1, "21|1", 1)))) == [
        [("12|3", 0), ("12|1", 0), ("11|1", 0)], [("12|3", 0), ("12|1", 0), ("21|1", 1)],
    ]  # fmt: skip


def test_each_package_that_is_asked_about_stands_once_with_its_roles() -> None:
    items = found(judged(-1))
    assert items.raw.tolist() == ["11|1", "12|1", "21|1", "12|3"]
    assert items.roles["sections"].values.tolist() == [11, 12, 21, 12]
    assert items.pair_item.dtype == np.int32


def test_an_empty_pool_leaves_requests_without_candidates() -> None:
    items = found(judged(-1, (0, "11|1", 1)), [])
    assert (items.offsets.tolist(), items.label[:, 0].tolist(), items.raw.tolist()) == ([0, 0, 0], [], [])


def test_without_a_pool_there_is_nothing_to_choose_from() -> None:
    with pytest.raises(TypeError, match="out of a pool of candidates"):
        homework_items(SCHOOL.plan, SCHOOL.plan.request, SCHOOL.rows(DAY), RawIds(SCHOOL.plan), None)


def test_a_request_may_ask_for_chapters_that_nobody_has_packages_of() -> None:
    homework = lessons.table("homework", (501, 9001, 5, [40], [401], 1, 7), (502, 9002, 5, [20], [201], 1, 7))
    rows = replace(SCHOOL.rows(DAY, homework=homework), judged=judged(-1).judged)
    assert named(found(rows)) == [[], [("21|1", -1)]]
