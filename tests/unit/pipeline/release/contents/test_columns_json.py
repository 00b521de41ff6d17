from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.schema import MISSING_INT, MISSING_STR
from pipeline.features.frames.frame import Column, Lists
from pipeline.release.contents.columns_json import column, kind_of, plain


def again(values: Column) -> Column:
    return column(json.loads(json.dumps(plain(values), allow_nan=False)), kind_of(values))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([1, MISSING_INT, -5]), "int"),
        (np.array([0.1, np.nan, -2.5]), "float"),
        (np.array(["a", MISSING_STR, "ä"], object), "str"),
        (np.array(["2024-02-29", "NaT"], "datetime64[D]"), "day"),
        (np.array(["2024-02-29T12:00:00.123", "NaT"], "datetime64[ms]"), "time"),
    ],
)
def test_columns_come_back_with_what_is_missing(values: np.ndarray, kind: str) -> None:
    assert kind_of(values) == kind
    back = again(values)
    assert not isinstance(back, Lists)
    assert back.dtype == values.dtype
    np.testing.assert_array_equal(back, values)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(-(2**62), 2**62), max_size=4), max_size=5))
def test_lists_come_back(rows: list[list[int]]) -> None:
    back = again(Lists.of(rows, np.int64))
    assert isinstance(back, Lists)
    assert plain(back) == rows


def test_a_row_that_is_not_there_is_missing_or_empty() -> None:
    assert column([None], "int").tolist() == [MISSING_INT]  # type: ignore[union-attr]
    assert plain(column([None, [1]], "int_list")) == [[], [1]]
    assert np.isnat(column([None], "day"))[0]
