"""Whole numbers, floats and text in whatever plain type they come."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from pipeline.errors import DataError
from pipeline.ingest.parse.scalars import floats, ints, texts


def read(parsed: Any) -> list[tuple[Any, str]]:
    return list(zip(parsed.values.to_pylist(), map(parsed.reason, range(len(parsed.values))), strict=True))


def test_the_two_numbers_that_stand_for_nothing_are_no_ids() -> None:
    found = read(ints(pa.array([-(2**63), -(2**63) + 1, -(2**63) + 2, None])))
    assert [value for value, _ in found] == [None, None, -(2**63) + 2, None]
    assert [bool(reason) for _, reason in found] == [True, True, False, False]
    assert found[0][1] == found[1][1]


def test_text_is_trimmed_composed_and_empty_text_is_missing() -> None:
    found = read(texts(pa.array([" a ", "cafe\u0301", "  ", None, "\u3000中"])))
    assert found == [("a", ""), ("café", ""), (None, ""), (None, ""), ("中", "")]


def test_the_text_that_stands_for_nothing_is_none() -> None:
    assert read(texts(pa.array(["\x01", "x"])))[0][1] == "not text"


def test_numbers_are_their_digits() -> None:
    assert read(texts(pa.array([12, -3]))) == [("12", ""), ("-3", "")]


def test_a_float_is_finite_or_missing_or_has_a_reason() -> None:
    written = ["1.5", "+2", ".5", "1e3", "nan", "inf", "1,5", "0x10", "", None]
    assert read(floats(pa.array(written))) == [
        (1.5, ""), (2.0, ""), (0.5, ""), (1000.0, ""), (None, ""), (float("inf"), "not a finite number"),
        (None, "not a number"), (None, "not a number"), (None, ""), (None, ""),
    ]  # fmt: skip
    found = read(floats(pa.array([float("nan"), float("-inf"), 2.5])))
    assert found[0] == (None, "")
    assert found[1][1] == "not a finite number"
    assert found[2] == (2.5, "")


@pytest.mark.parametrize(("parse", "kind"), [(ints, "int"), (floats, "float")])
def test_a_time_is_no_number(parse: Any, kind: str) -> None:
    with pytest.raises(DataError, match=f"where {kind} is declared; declare it `day` or `time`"):
        parse(pa.array([0], pa.timestamp("ms")))
