from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.tables import Column
from pipeline.errors import DataError
from tests.unit.pipeline.reading import read


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
    ("column", "message"),
    [
        ({"type": "str", "separator": "|"}, "`separator` is for lists, not for str"),
        ({"type": "str_list", "separator": ""}, "without brackets and quotes"),
        ({"type": "str_list", "separator": '","'}, "without brackets and quotes"),
        ({"type": "int", "unit": "s"}, "`unit` is for time and day, not for int"),
        ({"type": "time", "unit": "minutes"}, "unit"),
    ],
)
def test_settings_that_cannot_act_are_refused(column: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Column.model_validate(column)


def test_floats() -> None:
    cells = ["1.5", " 3 ", "1e3", "+2", ".5", "", "nan", "inf", "x", "1,5"]
    values = [value for value, _ in read(cells, type="float")]
    assert values == [1.5, 3.0, 1000.0, 2.0, 0.5, None, None, None, None, None]
    assert [reason for _, reason in read(cells, type="float")][5:] == [
        "", "", "not a finite number", "not a number", "not a number",
    ]  # fmt: skip
    assert read([float("inf"), 1.0], type="float") == [(None, "not a finite number"), (1.0, "")]


@pytest.mark.parametrize("beside", ["1", "x"])
@pytest.mark.parametrize(
    ("cell", "reason"), [("inf", "not a finite number"), ("-nan", ""), ("1e400", "not a finite number"), ("-7", "")]
)
def test_a_float_is_read_alike_whatever_stands_beside_it(cell: str, reason: str, beside: str) -> None:
    assert read([cell, beside], type="float")[0] == (-7.0 if cell == "-7" else None, reason)


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
