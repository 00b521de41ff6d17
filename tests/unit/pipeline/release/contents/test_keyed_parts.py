"""Parts of a release keyed by raw ids."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from models.schema import MISSING_INT, MISSING_STR
from pipeline.features.frames.frame import Lists
from pipeline.release.contents.keyed_parts import distinct, field_of, framed, grouped, grouped_by_owner, starts_of
from pipeline.release.contents.parts import Part


def read(part: Part) -> dict[str, Any]:
    return {name: json.loads(value) for name, value in part.fields.items()}


def test_one_raw_id_is_a_field_as_it_is_and_several_are_a_list() -> None:
    assert (field_of(501), field_of("a,b"), field_of(501, "中")) == ("501", "a,b", '[501,"中"]')


def test_a_row_of_columns_a_key() -> None:
    meta: dict[str, Any] = {"frames": {}}
    columns = {"user.age": np.array([1.5, 2.0]), "user.tags": Lists.of([[1, 2], []], np.int64)}
    part = framed("users", np.array([7, 8]), columns, meta)
    assert read(part) == {"7": [1.5, [1, 2]], "8": [2.0, []]}
    assert [name for name, _ in meta["frames"]["users"]] == ["user.age", "user.tags"]
    assert read(framed("users", np.array([7]), {}, meta)) == {"7": []}


def test_the_rows_of_each_key() -> None:
    part = grouped("chapters", [10, 20], [0, 2, 3], {"key": ["a", "b", "c"], "n": [1, 2, 3]})
    assert read(part) == {"10": {"key": ["a", "b"], "n": [1, 2]}, "20": {"key": ["c"], "n": [3]}}


def test_owners_of_several_ids() -> None:
    part = grouped_by_owner("h", [[501, 502], [9001, 9002]], np.array([0, 1, 1]), {"n": [7]})
    assert read(part) == {"[501,9001]": {"n": [7]}, "[502,9002]": {"n": []}}


@pytest.mark.parametrize(("ordered", "starts"), [([3, 3, 1, 1, 1, 3], [0, 2, 5]), ([4], [0]), ([], [])])
def test_where_values_that_stand_together_begin(ordered: list[int], starts: list[int]) -> None:
    assert starts_of(np.array(ordered, np.int64)).tolist() == starts


def test_keys_once_each_in_order_without_missing_ones() -> None:
    assert distinct(np.array([5, MISSING_INT, 3, 5])).tolist() == [5, 3]
    assert distinct(np.array(["b", MISSING_STR, "a", "b"], object)).tolist() == ["b", "a"]
