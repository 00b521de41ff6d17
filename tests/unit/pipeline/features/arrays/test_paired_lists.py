"""Lists of one row that are read together are brought into step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.schema import Kind
from pipeline.features.arrays.paired_lists import lengthened, paired_lengths, unpaired_rows
from pipeline.features.frames.frame import Frame, Lists

FRAME = Frame(3, {
    "row.a": Lists.of([[1, 2], [3], []], np.int64), "row.b": Lists.of([[1], [2], []], np.int64),
    "row.c": Lists.of([[1, 2], [3], [4, 5, 6]], np.int64), "row.flat": np.array([1, 2, 3]),
})  # fmt: skip


def feature(column: str, group: str | None, kind: Kind = Kind.SEQUENCE, frame: str = "row") -> Any:
    return SimpleNamespace(feature=SimpleNamespace(group=group, kind=kind), frame=frame, keys=[f"row.{column}"])


def test_a_group_has_as_many_steps_as_its_longest_list() -> None:
    features = [feature("a", "x"), feature("b", "x"), feature("c", "y"), feature("flat", "x"), feature("c", None)]
    found = paired_lengths(features, FRAME)
    assert {name: lengths.tolist() for name, lengths in found.items()} == {"x": [2, 1, 0], "y": [2, 1, 3]}


def test_rows_whose_lists_differ_are_counted_where_a_group_has_several() -> None:
    assert unpaired_rows([feature("a", "x"), feature("b", "x"), feature("c", "y")], FRAME) == {"x": 1}
    assert unpaired_rows([feature("a", "x"), feature("c", "x"), feature("b", "x")], FRAME) == {"x": 2}
    # Two features of one column are one list; histories of days and other kinds are no lists of the row.
    assert unpaired_rows([feature("a", "x"), feature("a", "x")], FRAME) == {}
    others = [feature("b", "x", Kind.BAG), feature("b", "x", frame="history")]
    assert unpaired_rows([feature("a", "x"), *others], FRAME) == {}


@pytest.mark.parametrize(
    ("lengths", "values"),
    [([2, 1, 0], [1, 2, 3]), ([3, 1, 2], [1, 2, -1, 3, -1, -1]), ([2, 4, 0], [1, 2, 3, -1, -1, -1])],
)
def test_missing_values_come_at_the_end_of_each_list(lengths: list[int], values: list[int]) -> None:
    found = lengthened(Lists.of([[1, 2], [3], []], np.int64), np.array(lengths), -1)
    assert (found.lengths.tolist(), found.values.tolist()) == (lengths, values)
