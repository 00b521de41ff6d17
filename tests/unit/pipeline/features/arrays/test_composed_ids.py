"""Ids that a source writes as one and that mean several things, or as several that mean one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.schema import MISSING_INT, MISSING_STR
from pipeline.config.features import Digits
from pipeline.features.arrays.composed_ids import by_column, by_pairs, digits_of, misfits
from tests.unit.pipeline.features import lessons

NONE = MISSING_INT


def texts(*values: str) -> Any:
    return np.array(values, object)


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        # 40111, then plain ones, then: another kind, six digits, a negative one, none
        ({"of": 5, "at": 1, "allowed": [1, 2, 3, 4]}, [4, 1, NONE, NONE, NONE, NONE, NONE, NONE]),
        ({"of": 5, "at": 3, "allowed": [0, 1]}, [1, 0, NONE, NONE, 0, NONE, NONE, NONE]),
        ({"of": 5, "at": 5}, [1, 9, NONE, NONE, 5, NONE, NONE, NONE]),
        ({"of": 5, "at": 2, "count": 3}, [11, 0, NONE, NONE, 0, NONE, NONE, NONE]),
        ({"of": 5, "at": 1, "allowed": [4], "plain": -1}, [4, NONE, -1, -1, NONE, NONE, NONE, NONE]),
        ({"of": 3, "at": 2, "count": 2}, [NONE, NONE, NONE, 50, NONE, NONE, NONE, NONE]),
    ],
)
def test_the_digits_that_a_rule_names(rule: dict[str, Any], parts: list[int]) -> None:
    values = np.array([40111, 10009, 7, 250, 90005, 140111, -40111, NONE])
    assert digits_of(values, Digits.model_validate(rule)).tolist() == parts


def test_what_is_neither_plain_nor_as_the_rule_says_is_counted() -> None:
    values = np.array([40111, 7, 0, 9999, 90111, 140111, -7, NONE])
    assert misfits(values, Digits.model_validate(lessons.KIND)) == 3  # kind 9, six digits, below zero
    assert misfits(values, Digits(of=5, at=1)) == 2
    assert misfits(values, Digits(of=6, at=1, allowed=(1,))) == 1


def test_a_value_is_told_by_its_column_and_a_pair_by_both() -> None:
    first, second = texts("4", "1", MISSING_STR), texts("1", "4", "1")
    names = ("label_1", "label_4")
    assert [each.tolist() for each in by_column([first, second], names)] == [
        ["label_1:4", "label_1:1", MISSING_STR], ["label_4:1", "label_4:4", "label_4:1"],
    ]  # fmt: skip
    assert by_pairs([first, second])[0].tolist() == ["4:1", "1:4", MISSING_STR]
    assert by_pairs([second, first])[0].tolist() == ["1:4", "4:1", MISSING_STR]


def test_pairs_of_texts_with_colons_are_not_mixed_up() -> None:
    first, second = texts("a:b", "a", "a\\", "a\\:b"), texts("c", "b:c", ":b", "")
    found = by_pairs([first, second])[0].tolist()
    assert len(set(found)) == 4
