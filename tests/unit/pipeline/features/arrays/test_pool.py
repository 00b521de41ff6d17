from __future__ import annotations

from itertools import pairwise

import numpy as np

from pipeline.features.arrays.pool import Pool
from pipeline.features.frames.frame import Lists
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.candidate_table import listed
from pipeline.features.rows.homework import base_ids
from tests.unit.pipeline.features import lessons


def pool(order: list[int]) -> Pool:
    chapters = Lists.of([[2], [2, 3], [3], [2]], np.int32)
    return Pool.of(np.int32([10, 11, 12, 13]), {}, chapters, np.int64(order))


def found(pool: Pool, *chapters: list[int], limit: int = 10) -> list[list[int]]:
    lists = pool.find(Lists.of(list(chapters), np.int32), limit)
    ends = lists.offsets.tolist()
    return [pool.keys[lists.values[a:b]].tolist() for a, b in pairwise(ends)]


def test_candidates_of_a_chapter_best_first() -> None:
    assert found(pool([2, 1, 0, 3]), [2], [3], [9], []) == [[11, 10, 13], [12, 11], [], []]


def test_candidates_of_several_chapters_come_once_each_in_one_order() -> None:
    assert found(pool([2, 1, 0, 3]), [2, 3], [3]) == [[12, 11, 10, 13], [12, 11]]


def test_the_first_by_place_are_kept() -> None:
    assert found(pool([2, 1, 0, 3]), [2, 3], [2], [3], limit=2) == [[12, 11], [11, 10], [12, 11]]


def test_an_empty_pool() -> None:
    nothing = Pool.of(np.zeros(0, np.int32), {}, Lists.of([], np.int32), np.zeros(0, np.int64))
    assert found(nothing, [2], [2, 3]) == [[], []]


def test_the_candidate_table_by_rank_then_key_each_key_once_with_base_ids() -> None:
    plan = Plan(lessons.config())
    table = lessons.table(
        "candidates",
        ([10], [102], 1, None, 5), ([10], [101], 1, None, 2), ([20], [202], 1, None, 1), ([10], [101], 2, None, 2),
        ([10], [102], 1, 4, 1), ([20], [201], 1, None, None),
    )  # fmt: skip
    ranked = listed(plan.request.settings, table, base_ids(plan.request.settings, lessons.tables()))
    # 12|1 is listed twice, its better rank counts; 202 has no base section; 21|1 has no rank and comes last.
    assert ranked.packages.key.tolist() == ["12|1", "11|1", "11|2", "21|1"]
    assert ranked.packages.reflect.values.tolist() == [4]
    assert ranked.no_base == 1
