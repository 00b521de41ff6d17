from __future__ import annotations

from itertools import pairwise

import numpy as np

from pipeline.features.arrays.pool import Pool
from pipeline.features.frames.frame import Lists


def pool(order: list[int]) -> Pool:
    chapters = Lists.of([[2], [2, 3], [3], [2]], np.int64)
    return Pool.of(np.int64([10, 11, 12, 13]), {}, chapters, np.int64(order))


def found(pool: Pool, *chapters: list[int], limit: int = 10) -> list[list[int]]:
    lists = pool.find(Lists.of(list(chapters), np.int64), limit)
    ends = lists.offsets.tolist()
    return [pool.keys[lists.values[a:b]].tolist() for a, b in pairwise(ends)]


def test_candidates_of_a_chapter_best_first() -> None:
    assert found(pool([2, 1, 0, 3]), [2], [3], [9], []) == [[11, 10, 13], [12, 11], [], []]


def test_candidates_of_several_chapters_come_once_each_in_one_order() -> None:
    assert found(pool([2, 1, 0, 3]), [2, 3], [3]) == [[12, 11, 10, 13], [12, 11]]


def test_the_first_by_place_are_kept() -> None:
    assert found(pool([2, 1, 0, 3]), [2, 3], [2], [3], limit=2) == [[12, 11], [11, 10], [12, 11]]


def test_an_empty_pool() -> None:
    nothing = Pool.of(np.zeros(0, np.int64), {}, Lists.of([], np.int64), np.zeros(0, np.int64))
    assert found(nothing, [2], [2, 3]) == [[], []]
