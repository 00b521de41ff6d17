from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.tables import Column
from pipeline.errors import DataError
from pipeline.parsing import parse_column

ZONE = "Asia/Shanghai"


def read(values: Any, **column: Any) -> list[tuple[Any, str]]:
    array = values if isinstance(values, pa.Array) else pa.array(values)
    parsed = parse_column(array, Column(**column), ZONE)
    return list(zip(parsed.values.to_pylist(), map(parsed.reason, range(len(array))), strict=True))


@pytest.mark.parametrize(
    ("value", "expected", "reason"),
    [
        ("12", 12, ""), ("12.0", 12, ""), (" 12 ", 12, ""), ("+12", 12, ""), ("", None, ""), (None, None, ""),
        ("12.5", None, "not a whole number"), ("abc", None, "not a whole number"), ("0x1F", None, "not a whole number"),
        ("-1", None, "below 0"), ("1" * 25, None, "does not fit in 64 bits"), ("99", None, "above 50"),
        ("7", None, ""), ("none", None, ""),
    ],
)  # fmt: skip
def test_an_int_is_one_number_however_it_is_spelt(value: str | None, expected: int | None, reason: str) -> None:
    settings = {"type": "int", "min": 0, "max": 50, "absent": [7, "none"]}
    assert read(pa.array([value], pa.string()), **settings) == [(expected, reason)]


def test_floats_that_are_whole_are_ints() -> None:
    assert read([12.0, 12.5, float("nan"), 2.0**60], type="int") == [
        (12, ""), (None, "not a whole number"), (None, ""), (None, "a float too large to name one whole number"),
    ]  # fmt: skip


def test_a_value_that_means_missing_is_exempt_from_the_range() -> None:
    assert read(["-1", "-2", "3"], type="int", min=0, absent=[-1]) == [(None, ""), (None, "below 0"), (3, "")]


@pytest.mark.parametrize(
    ("cell", "expected", "reason"),
    [
        ("12,13", [12, 13], ""), ("[12, 13]", [12, 13], ""), ('"12,13"', [12, 13], ""), ("['12', '13']", [12, 13], ""),
        ('"[7, 5]"', [7, 5], ""), ("12.0,13", [12, 13], ""), ("5", [5], ""), ("[]", None, ""), ("", None, ""),
        (None, None, ""), ("[1, x]", None, "not a whole number"), ('"12,,13"', None, "an empty item in a list"),
        ("12,13,", None, "an empty item in a list"), ("[1, 2", None, "a list without its other bracket"),
        ("[", None, "a list without its other bracket"), ("4,-1", None, "below 0"), ("4,0", [4], ""),
        (",".join(map(str, range(1, 10_001))), None, "more than 1000 items"),
    ],
)  # fmt: skip
def test_lists_of_ints(cell: str | None, expected: list[int] | None, reason: str) -> None:
    assert read(pa.array([cell], pa.string()), type="int_list", min=0, absent=[0]) == [(expected, reason)]


def test_a_bad_list_leaves_its_neighbours_alone() -> None:
    cells = ["1,2", "[1, x]", None, "3", "5,,6", "7,8,9"]
    assert [value for value, _ in read(cells, type="int_list")] == [[1, 2], None, None, [3], None, [7, 8, 9]]


def test_lists_that_are_lists_already() -> None:
    assert read(pa.array([[1, 2], None, [], [3]]), type="int_list") == [([1, 2], ""), (None, ""), (None, ""), ([3], "")]
    assert read(pa.array([[1] * 5, [2]]), type="int_list", max_items=4) == [(None, "more than 4 items"), ([2], "")]


def test_a_sliced_list_column_keeps_its_own_rows() -> None:
    assert read(pa.array([[9], [1, 2], [3]]).slice(1), type="int_list") == [([1, 2], ""), ([3], "")]


def test_text_lists_and_paths() -> None:
    assert read(["79323P, 85048", '"x"'], type="str_list") == [(["79323P", "85048"], ""), (["x"], "")]
    assert read(["[/a/b/c, /d/e]", "[a]"], type="path_list") == [(["/a/b/c", "/d/e"], ""), (None, "not a path")]


@pytest.mark.parametrize("spelling", ["2024-03-04", "2024/03/04", "20240304", "2024-03-04 11:12:13", " 2024-03-04 "])
def test_days(spelling: str) -> None:
    assert read([spelling], type="day") == [(date(2024, 3, 4), "")]


@pytest.mark.parametrize("spelling", ["2024-02-30", "4/3/2024", "today", "2024-3-4", "2024-03-04 noon"])
def test_what_is_not_a_day(spelling: str) -> None:
    assert read([spelling], type="day") == [(None, "not a day")]


def test_days_of_other_types() -> None:
    assert read([20240304, 20240230], type="day") == [(date(2024, 3, 4), ""), (None, "not a day")]
    assert read([20240304.0, 20240304.5], type="day") == [(date(2024, 3, 4), ""), (None, "not a day")]
    late = datetime(2024, 3, 3, 17, tzinfo=UTC)  # one in the morning in Shanghai
    assert read(pa.array([late], pa.timestamp("ms", tz=ZONE)), type="day") == [(date(2024, 3, 4), "")]


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("1709524800000", datetime(2024, 3, 4, 4, tzinfo=UTC)),
        ("2024-03-04 12:00:00", datetime(2024, 3, 4, 4, tzinfo=UTC)),
        ("2024/03/04 12:00:00.5", datetime(2024, 3, 4, 4, 0, 0, 500_000, tzinfo=UTC)),
        ("2024-03-04T12:00:00Z", datetime(2024, 3, 4, 12, tzinfo=UTC)),
        ("2024-03-04T12:00:00+01:00", datetime(2024, 3, 4, 11, tzinfo=UTC)),
        ("2024-03-04", datetime(2024, 3, 3, 16, tzinfo=UTC)),
    ],
)
def test_times_without_a_zone_are_business_time(spelling: str, expected: datetime) -> None:
    assert read([spelling], type="time") == [(expected, "")]


@pytest.mark.parametrize("value", ["yesterday", "-5", "2024-13-04 12:00:00", "2024-03-04 25:00:00", "9" * 17, "1.5"])
def test_what_is_not_a_time(value: str) -> None:
    assert read([value, "1709524800000"], type="time")[0] == (None, "not a time")


def test_floats() -> None:
    cells = ["1.5", " 3 ", "1e3", "+2", ".5", "", "nan", "inf", "x", "1,5"]
    values = [value for value, _ in read(cells, type="float")]
    assert values == [1.5, 3.0, 1000.0, 2.0, 0.5, None, None, None, None, None]
    assert [reason for _, reason in read(cells, type="float")][5:] == ["", "", *["not a number"] * 3]
    assert read([float("inf"), 1.0], type="float") == [(None, "not a finite number"), (1.0, "")]


def test_text_is_stripped_and_composed() -> None:
    assert read(["cafe\u0301", " A ", "", "B"], type="str", allowed=["caf\u00e9", "A"]) == [
        ("caf\u00e9", ""), ("A", ""), (None, ""), (None, "not an allowed value"),
    ]  # fmt: skip


def test_numbers_in_a_column_of_text() -> None:
    assert read([12, 13], type="str") == [("12", ""), ("13", "")]


def test_parts_of_a_row_key() -> None:
    keys = ["71_305", "71", "x_305", None]
    assert read(keys, type="int", part=1) == [(305, ""), (None, "not a whole number"), (305, ""), (None, "")]
    assert read(keys, type="int", part=0)[2] == (None, "not a whole number")


@pytest.mark.parametrize(
    ("array", "kind"),
    [(pa.array([[1]]), "int"), (pa.array([date(2024, 3, 4)]), "int"), (pa.array([date(2024, 3, 4)]), "float"),
     (pa.array([["a"]]), "str"), (pa.array([date(2024, 3, 4)]), "int_list")],
)  # fmt: skip
def test_a_column_of_the_wrong_type_is_an_error(array: pa.Array, kind: str) -> None:
    with pytest.raises(DataError, match=kind):
        read(array, type=kind)


@given(st.lists(st.one_of(st.none(), st.text(max_size=8), st.integers(-50, 50).map(str)), max_size=20))
def test_every_value_is_read_missing_or_explained(values: list[str | None]) -> None:
    cells = [None if value is None else value.encode("utf-8", "replace").decode() for value in values]
    for cell, (value, reason) in zip(cells, read(pa.array(cells, pa.string()), type="int", min=-10), strict=True):
        if value is None and not reason:
            assert cell is None or not cell.strip() or cell.strip() == "\x00"
        else:
            assert (value is None) == bool(reason)
