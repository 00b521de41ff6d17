"""Positive rows and what would have been recalled for them; the line itself: ``tests/integration/test_recall.py``."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.days import Day
from pipeline.evaluation.recalled import Before, Recalled, places, pooled, within


def test_an_item_is_found_among_the_first_equal_ones_in_their_order() -> None:
    items = np.array([[1.0], [3.0], [3.0], [2.0]], np.float32)
    users, wanted = np.ones((5, 1), np.float32), np.array([0, 1, 2, 3, -1])
    assert within(users, items, wanted, 1).tolist() == [False, True, False, False, False]
    assert within(users, items, wanted, 2).tolist() == [False, True, True, False, False]
    assert within(users, items, wanted, 9).tolist() == [True, True, True, True, False]


def test_places_are_of_what_is_listed() -> None:
    assert places(np.array([2, 5, 9]), np.array([5, 1, 9, 10])).tolist() == [1, -1, 2, -1]
    assert places(np.zeros(0), np.array([5])).tolist() == [-1]


def test_what_was_before_is_of_the_days_that_were_added() -> None:
    before = Before()
    assert before.often(np.array([3, 5])).tolist() == [0, 0]
    assert before.cold(np.array([3]), np.array(["u"])) == {"items": [True], "users": [True]}
    before.add(np.array([5, 3, 5]), np.array([3, 4, 5]), np.array(["u", "v", "u"], object))
    before.add(np.array([9, 5]), np.array([5, 9]), np.array(["w", "u"], object))
    assert before.often(np.array([2, 3, 4, 5, 9])).tolist() == [0, 1, 0, 3, 1]
    cold = before.cold(np.array([3, 4, 7]), np.array(["w", "x", "u"], object))
    assert {name: values.tolist() for name, values in cold.items()} == {
        "items": [False, False, True], "users": [False, True, False],
    }  # fmt: skip


def day(number: int, user: list[int], towers: list[bool], cold: list[bool]) -> Recalled:
    none = np.zeros(len(user), bool)
    found = {"towers": np.array(towers), "content": none, "popularity": ~none}
    return Recalled(
        Day.of(2024, 1, number), np.array(user), found, {"items": np.array(cold), "users": none},
        np.full(len(user), 0.1), {},
    )  # fmt: skip


def test_rows_count_alike_and_a_hit_is_of_a_user_and_day() -> None:
    days = [day(1, [1, 1, 2], [True, False, False], [True, False, True]), day(2, [1, 3], [False, True], [False, False])]
    told = pooled(days, None)
    assert (told["rows"], told["users"], told["random"]) == (5, 3, pytest.approx(0.1))
    assert told["towers"]["recall"].value == pytest.approx(2 / 5)
    assert told["towers"]["hit"] == pytest.approx(2 / 4)  # users 1 and 2 of the first day, 1 and 3 of the second
    assert 0 <= told["towers"]["recall"].low < told["towers"]["recall"].high <= 1
    assert told["popularity"]["recall"].value == 1
    cold = pooled(days, "items")
    assert (cold["rows"], cold["towers"]["recall"].value) == (2, 0.5)
    assert pooled(days, "users") == {"rows": 0, "users": 0}
