from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.schema import MISSING_INT, MISSING_STR, PAD_INT
from pipeline.errors import DataError, UsageError
from pipeline.ingest.canonical_ids import REASONS, canonical_ids


@pytest.mark.parametrize(
    "spelling", [12, 12.0, "12", " 12 ", "12.0", "12.", "+12", "012", b"12", Decimal("12.00"), np.int8(12)]
)
def test_one_int_however_it_is_spelt(spelling: Any) -> None:
    alone = canonical_ids([spelling], "int")
    assert alone.values.dtype == np.int64
    assert alone.values.tolist() == [12]
    mixed = canonical_ids([spelling, "7", None, 7.5], "int")
    assert mixed.values.tolist() == [12, 7, MISSING_INT, MISSING_INT]
    assert mixed.valid.tolist() == [True, True, False, False]
    assert [REASONS[code] for code in mixed.reasons] == ["", "", "missing", "not a whole number"]


@pytest.mark.parametrize("spelling", [None, float("nan"), "", "  ", pd.NA, pd.NaT, MISSING_INT, PAD_INT])
def test_missing_ints(spelling: Any) -> None:
    values, valid, reasons = canonical_ids([spelling], "int")
    assert (values.tolist(), valid.tolist(), reasons.tolist()) == ([MISSING_INT], [False], [1])


@pytest.mark.parametrize(
    ("spelling", "reason"),
    [
        ("x", "not a whole number"),
        ("1e5", "not a whole number"),
        ("0x1F", "not a whole number"),
        ("1.5", "not a whole number"),
        ("[1", "not a whole number"),
        ("1,2", "not a whole number"),
        ("１２", "not a whole number"),
        (1.5, "not a whole number"),
        (float("inf"), "does not fit in 64 bits"),
        (2.0**60, "a float too large to name one whole number"),
        (2.0**53, "a float too large to name one whole number"),
        (np.float32(2**24), "a float too large to name one whole number"),
        (2**63, "does not fit in 64 bits"),
        ("99999999999999999999", "does not fit in 64 bits"),
        ([1, 2], "not text"),
        (b"\xff", "not text"),
    ],
)
def test_what_is_no_int(spelling: Any, reason: str) -> None:
    beside: Any = 3.0 if isinstance(spelling, float) else 3 if isinstance(spelling, list) else "3"
    found = canonical_ids([spelling, beside], "int")
    assert found.values.tolist() == [MISSING_INT, 3]
    assert found.valid.tolist() == [False, True]
    assert REASONS[found.reasons[0]] == reason


def test_the_largest_ints_are_exact() -> None:
    texts = [str(2**63 - 1), str(-(2**63) + 2), str(2**53 + 1)]
    assert canonical_ids(texts, "int").values.tolist() == [2**63 - 1, -(2**63) + 2, 2**53 + 1]


@pytest.mark.parametrize(
    "column",
    [
        np.array([5, -1]),
        np.array([5, -1], np.int16),
        np.array([5.0, -1.0], np.float32),
        np.array(["5", "-1"]),
        pd.Series([5, -1]),
        pd.Series(["5", "-1"]),
        pd.Series([5, -1], dtype="Int64"),
        pa.array(["5", "-1"]),
        pa.chunked_array([[5], [-1]]),
        pa.array(["5", "-1"]).dictionary_encode(),
        pa.array(["5", "-1"], pa.large_string()),
        pa.array([Decimal("5.0"), Decimal("-1.0")]),
        [5, -1],
    ],
)
def test_every_kind_of_column(column: Any) -> None:
    assert canonical_ids(column, "int").values.tolist() == [5, -1]
    texts = canonical_ids(column, "str").values.tolist()
    assert texts == ["5", "-1"]


def test_nulls_of_typed_columns() -> None:
    assert canonical_ids(pd.Series([5, None], dtype="Int64"), "int").values.tolist() == [5, MISSING_INT]
    assert canonical_ids(np.array([5.0, np.nan]), "str").values.tolist() == ["5", MISSING_STR]
    assert canonical_ids(pa.nulls(2), "int").valid.tolist() == [False, False]
    assert canonical_ids([], "str").values.tolist() == []


def test_text_is_stripped_and_composed() -> None:
    found = canonical_ids([" e\u0301 ", "\u3000é", "", None, "\x01", "a b", "-1"], "str")
    assert found.values.tolist() == ["é", "é", MISSING_STR, MISSING_STR, MISSING_STR, "a b", "-1"]
    assert found.valid.tolist() == [True, True, False, False, False, True, True]


def test_numbers_in_a_text_space() -> None:
    assert canonical_ids([12, 12.0, "12.0", 1.5], "str").values.tolist() == ["12", "12", "12.0", "1.5"]
    assert canonical_ids(np.array([12.0, 1.5, np.inf]), "str").values.tolist() == ["12", "1.5", MISSING_STR]


def test_a_number_has_one_name_whatever_type_it_comes_in() -> None:
    for column in (
        pa.array([2**63], pa.uint64()), [2**63], [str(2**63)], np.array([2**63], np.uint64), [Decimal(2**63)],
    ):  # fmt: skip
        assert canonical_ids(column, "str").values.tolist() == ["9223372036854775808"]
    for column in (pa.array([0.1], pa.float32()), np.array([0.1]), [np.float32(0.1), "x"], [Decimal("0.10")]):
        assert canonical_ids(column, "str").values[0] == "0.1"
    for column in (np.array([2.0**53]), [2.0**53, "x"], [np.float32(2**24), "x"], pa.array([2.0**11], pa.float16())):
        found = canonical_ids(column, "str")
        assert (found.values[0], REASONS[found.reasons[0]]) == (
            MISSING_STR, "a float too large to name one whole number",
        )  # fmt: skip


def test_broken_text_is_marked_not_raised() -> None:
    found = canonical_ids(["a", "\ud800", b"\xff\xfe"], "str")
    assert found.values.tolist() == ["a", MISSING_STR, MISSING_STR]
    assert [REASONS[code] for code in found.reasons] == ["", "not text", "not text"]


def test_shape_is_kept() -> None:
    found = canonical_ids(np.array([["1", ""], ["2", "x"]], object), "int")
    assert found.values.tolist() == [[1, MISSING_INT], [2, MISSING_INT]]
    assert found.valid.shape == found.reasons.shape == (2, 2)
    assert canonical_ids(np.array(4), "int").values.shape == ()


def test_columns_that_cannot_hold_ids() -> None:
    with pytest.raises(DataError, match="timestamp"):
        canonical_ids(np.array(["2024-01-01"], "datetime64[s]"), "int")
    with pytest.raises(UsageError, match="int or str"):
        canonical_ids([1], "float")


# Floats beyond 2**53 name no id alone; beside whole numbers of that size Arrow takes them for whole numbers too.
exact_floats = st.one_of(st.floats(-(2.0**53), 2.0**53), st.sampled_from([float("nan"), float("inf")]))
cells = st.one_of(st.integers(-(2**70), 2**70), exact_floats, st.text(max_size=25), st.none(), st.binary(max_size=4))


@given(st.lists(cells))
def test_canonical_ids_are_fixed_points(values: list[Any]) -> None:
    for kind in ("int", "str"):
        once = canonical_ids(values, kind)
        again = canonical_ids(once.values, kind)
        assert once.valid.tolist() == again.valid.tolist()
        assert once.values.tolist() == again.values.tolist()
        # A value has one canonical form, whatever stands beside it in the column.
        alone = [canonical_ids([value], kind).values[0] for value in values]
        assert alone == once.values.tolist()


@given(st.lists(st.integers(-(2**63) + 2, 2**63 - 1)))
def test_ints_and_their_text_are_the_same_ids(values: list[int]) -> None:
    assert canonical_ids([f" {value} " for value in values], "int").values.tolist() == values


def test_sentinels_survive_numpys_own_text_type() -> None:
    assert np.full(1, MISSING_STR, object).astype(str).astype(object).tolist() == [MISSING_STR]
