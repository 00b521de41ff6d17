from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.schema import MISSING_INT, MISSING_STR
from pipeline.errors import DataError
from pipeline.features.frames.from_arrow import Places, codes, column_of, first_rows, lists_of, ranks


def test_columns_with_missing_values() -> None:
    table = pa.table({
        "int": pa.array([1, None], pa.int64()), "float": pa.array([1.5, None], pa.float64()),
        "str": pa.array(["ü", None]), "day": pa.array([date(2024, 3, 4), None]),
        "time": pa.array([datetime(2024, 3, 4, 1), None], pa.timestamp("ms", "UTC")),
        "list": pa.array([[1, None, 2], None], pa.list_(pa.int64())),
        "texts": pa.array([[], ["a"]], pa.list_(pa.string())),
    })  # fmt: skip

    def flat(name: str) -> Any:
        return column_of(table, name)

    assert flat("int").tolist() == [1, MISSING_INT]
    assert flat("float")[0] == 1.5
    assert np.isnan(flat("float")[1])
    assert flat("str").tolist() == ["ü", MISSING_STR]
    assert flat("day")[0] == np.datetime64("2024-03-04")
    assert np.isnat(flat("day")[1])
    assert flat("time")[0] == np.datetime64("2024-03-04T01:00")
    assert (flat("list").offsets.tolist(), flat("list").values.tolist()) == ([0, 3, 3], [1, MISSING_INT, 2])
    assert (flat("texts").offsets.tolist(), flat("texts").values.tolist()) == ([0, 0, 1], ["a"])
    with pytest.raises(DataError, match="no column 'other'"):
        column_of(table, "other")


def test_chunks_and_empty_tables() -> None:
    chunks = pa.chunked_array([pa.array([1, 2]), pa.array([3])])
    assert np.asarray(column_of(pa.table({"a": chunks}), "a")).tolist() == [1, 2, 3]
    empty = pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.list_(pa.string()))})
    assert len(column_of(empty, "a")) == 0
    assert len(column_of(empty, "b")) == 0


def test_a_flat_column_as_lists() -> None:
    assert lists_of(np.array([4, MISSING_INT, 5])).offsets.tolist() == [0, 1, 1, 2]
    assert lists_of(np.array(["a", MISSING_STR], object)).values.tolist() == ["a"]


@given(st.lists(st.tuples(st.integers(-3, 3), st.sampled_from(["", "a", "ab", "b", "ü"])), min_size=1))
def test_codes_are_equal_for_equal_rows_and_in_their_order(rows: list[tuple[int, str]]) -> None:
    numbers, words = zip(*rows, strict=True)
    found = codes(np.array(numbers), np.array(words, object)).tolist()
    order = {row: place for place, row in enumerate(sorted(set(rows), key=lambda row: (row[0], row[1].encode())))}
    assert found == [order[row] for row in rows]


def test_places_and_first_rows_of_text() -> None:
    words = np.array(["b", "a", "b"], object)
    assert first_rows(words).tolist() == [0, 1]
    assert Places(words[first_rows(words)])(np.array(["a", "x", "b"], object)).tolist() == [1, -1, 0]
    assert ranks(np.array(["b", "a", "ü", "Z"], object)).tolist() == [2, 1, 3, 0]
    assert ranks(np.array([10, 9, -1])).tolist() == [2, 1, 0]
