"""From values of columns to ids and numbers, as docs/serving.md has it."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from examples.serving.released.ids import MISSING, PAD, Feature, made, numbers, padded, several, single, width_of


def feature(ids: str = "int", **settings: Any) -> Feature:
    return Feature("f", {"kind": "categorical", "source": "row.f", "size": 1, **settings}, ids)


def test_a_rule_makes_ids_of_values_or_leaves_them_missing() -> None:
    gone = MISSING["int"]
    digits = {"of": 5, "at": 1, "count": 1, "allowed": [1, 2, 3, 4], "plain": -1}
    assert made(feature(digits=digits), [40111, 250, 90111, 140111, None]) == [4, -1, gone, gone, gone]
    assert made(feature(digits={**digits, "at": 3, "allowed": None, "plain": None}), [40111, 3]) == [1, gone]
    assert made(feature(buckets=[1, 3, 5]), [0, 1, 4.5, 9, None]) == [0, 1, 2, 3, gone]
    assert made(feature("str", part=2), ["/a/b/c/d", "/a/b", None]) == ["c/d", "\x01", "\x01"]
    assert made(feature("str"), ["  e\u0301 ", 7, ""]) == ["\u00e9", "7", "\x01"]
    assert single(feature(), [12, 13]) == 12
    assert single(feature(), []) == gone


def test_a_bag_leaves_out_what_is_missing_and_tells_columns_apart() -> None:
    by_column = feature("str", kind="bag", source=["item.label_1", "item.label_4"], compose="column")
    assert several(by_column, [4, 1]) == ["label_1:4", "label_4:1"]
    assert several(by_column, [None, 1]) == ["label_4:1"]
    pairs = feature("str", kind="bag", source=["item.a", "item.b"], compose="pairs")
    assert several(pairs, ["x:\\", "y"]) == ["x\\:\\\\:y"]
    assert several(feature(), [[1, None, 2]]) == [1, 2]
    assert several(feature(), [[1, None, 2]], keep_missing=True) == [1, MISSING["int"], 2]
    assert several(feature(), [None]) == []


def test_numbers_are_of_one_column_each_or_of_a_list_and_a_date_is_days_since() -> None:
    day = date(2024, 3, 5).toordinal()
    np.testing.assert_array_equal(numbers(feature(size=3), [[1, None]], day), np.float32([1, np.nan, np.nan]))
    np.testing.assert_array_equal(numbers(feature(size=2), [2.5, "2024-03-01"], day), np.float32([2.5, 4]))
    assert numbers(feature(), [1e300], day)[0] == np.finfo(np.float32).max


def test_padding_stands_behind_and_widths_are_powers_of_two() -> None:
    assert padded("int", [[7], [], [1, 2, 3]], 2).tolist() == [[7, PAD["int"]], [PAD["int"]] * 2, [1, 2]]
    assert padded("str", [["a"]], 2).tolist() == [["a", ""]]
    assert [width_of(*each) for each in ((5, 16), (40, 10), (0, 8), (8, 8))] == [8, 16, 1, 8]


def test_a_sentinel_is_no_id_of_a_model() -> None:
    schema = pytest.importorskip("models.schema")
    assert PAD == {"int": schema.PAD_INT, "str": schema.PAD_STR}
    assert MISSING == {"int": schema.MISSING_INT, "str": schema.MISSING_STR}
