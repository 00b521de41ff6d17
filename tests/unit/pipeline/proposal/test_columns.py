from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from pipeline.proposal.columns import guess


@pytest.mark.parametrize(
    ("name", "values", "type_", "unit"),
    [
        ("n", [1, 2, None], "int", None),
        ("n", ["1", "2.0", ""], "int", None),
        ("n", [True, False], "int", None),
        ("n", ["1.5", "2e3"], "float", None),
        ("n", ["a", "1"], "str", None),
        ("n", ["2024-03-01", "2024/3/1"], "day", None),
        ("n", ["20240301"], "day", None),
        ("n", [date(2024, 3, 1)], "day", None),
        ("n", [datetime(2024, 3, 1, 9)], "time", None),
        ("n", ["2024-03-01 09:00:00"], "time", None),
        ("event_time", [1709251200, 1709251201], "time", "s"),
        ("event_time", ["1709251200000"], "time", "ms"),
        ("user", [1709251200], "int", None),  # an id as large as an instant
        ("n", ["[1, 2]", "[]"], "int_list", None),
        ("n", ['["a"]'], "str_list", None),
        ("n", ["1,2", "3"], "int_list", None),
        ("n", [["a"], []], "str_list", None),
        ("n", [None, ""], "str", None),
    ],
)
def test_what_values_are(name: str, values: list[Any], type_: str, unit: str | None) -> None:
    found = guess(name, values)
    assert (found.type, found.unit) == (type_, unit)


def test_a_label_is_both_of_0_and_1() -> None:
    assert guess("x", ["0", "1", None]).is_label
    assert guess("x", [True, False]).is_label
    assert not guess("x", [1, 1]).is_label
    assert not guess("x", [0, 1, 2]).is_label


def test_a_word_far_behind_whole_numbers_is_no_mistake_of_the_look() -> None:
    assert not guess("click", ["0", "1"] * 2000 + ["unknown"]).is_label


def test_instants_with_an_offset_fall_on_a_day_in_some_zone_only() -> None:
    assert guess("x", ["2024-03-01 09:00:00+08:00"]).zoned
    assert guess("x", [datetime(2024, 3, 1, tzinfo=UTC)]).zoned
    assert not guess("x", ["2024-03-01 09:00:00"]).zoned


def test_many_whole_numbers_count_something_unless_they_are_called_ids() -> None:
    many = list(range(2000))
    assert not guess("views", many).is_id
    assert guess("shop_id", many).is_id
    assert guess("views", many[:50]).is_id
    for amount in ("播放秒数", "时长", "price", "age"):
        assert not guess(amount, many[:50]).is_id, amount
    assert guess("page", many[:50]).is_id
    assert guess("x", ["a"]).is_id
    assert not guess("x", [0.5]).is_id
    assert (guess("x", [1, None, None, 2]).missing, guess("x", [1, 1, 2]).distinct) == (0.5, 2)
