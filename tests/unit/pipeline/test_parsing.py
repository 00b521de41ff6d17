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
from pipeline.physical_types import mixed_values

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


@pytest.mark.parametrize(
    "spelling",
    ["2024-03-04T12:00:00z", "2024-03-04 12:00:00 UTC", "2024-03-04 20:00:00+08", "2024-03-04 20:00 +0800",
     "2024/03/04 05:30:00,0-0630", "2024-03-04T12:00:00.0000000009+00:00"],
)  # fmt: skip
def test_times_with_a_zone_are_instants(spelling: str) -> None:
    assert read([spelling], type="time") == [(datetime(2024, 3, 4, 12, tzinfo=UTC), "")]


BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        # Set back at 3:00 summer time: half past two is there twice, and the first is meant.
        ("2024-10-27 02:30:00", datetime(2024, 10, 27, 0, 30, tzinfo=UTC)),
        # Set forward at 2:00: half past two is left out, and the moment of the change stands for it.
        ("2024-03-31 02:30:00", datetime(2024, 3, 31, 1, tzinfo=UTC)),
        ("2024-07-01 12:00:00.9999", datetime(2024, 7, 1, 10, 0, 0, 999_000, tzinfo=UTC)),
        ("1969-12-31 23:59:59.9999", datetime(1969, 12, 31, 22, 59, 59, 999_000, tzinfo=UTC)),
        ("9999-12-31 00:00:00", datetime(9999, 12, 30, 23, tzinfo=UTC)),
    ],
)
def test_wall_clock_times_are_one_instant_as_text_and_as_timestamps(wall: str, expected: datetime) -> None:
    naive = datetime.fromisoformat(wall)
    arrays = [pa.array([wall]), *(pa.array([naive], pa.timestamp(unit)) for unit in ("us", "ns") if naive.year < 2200)]
    for array in arrays:
        assert parse_column(array, Column(type="time"), BERLIN).values.to_pylist() == [expected]
        assert parse_column(array, Column(type="day"), BERLIN).values.to_pylist() == [naive.date()]


@pytest.mark.parametrize(
    ("unit", "values"),
    [
        ("s", [1709524800, 1709524800.25, "1709524800", "1709524800.250", None]),
        ("ms", [1709524800000, 1709524800250.0, "1709524800000", "1709524800250", None]),
        ("us", [1709524800000000, 1709524800250999.0, "1709524800000000", "1709524800250000", None]),
        ("ns", [1709524800000000000, "1709524800250000000", "1709524800000000000", 1709524800250000001, None]),
    ],
)
def test_numbers_in_the_unit_that_is_declared(unit: str, values: list[Any]) -> None:
    start = datetime(2024, 3, 4, 4, tzinfo=UTC)
    later = start.replace(microsecond=250_000)
    expected = [(start, ""), (later, ""), (start, ""), (later, ""), (None, "")]
    assert read(mixed_values(values), type="time", unit=unit) == expected
    days = [(date(2024, 3, 4), "")] * 4 + [(None, "")]
    assert read(mixed_values(values), type="day", unit=unit) == days


def test_numbers_in_another_unit_are_no_times_in_silence() -> None:
    seconds = "too small for milliseconds since 1970; if it is in seconds, declare `unit: s`"
    assert read([1709524800, 0], type="time") == [(None, seconds), (datetime(1970, 1, 1, tzinfo=UTC), "")]
    assert read(["1709524800"], type="time") == [(None, seconds)]
    assert read([1709524800000000], type="time") == [(None, "not a time")]
    assert read([1709524800000], type="time", unit="s") == [(None, "not a time")]
    assert read([1.7095248e18], type="time", unit="ns") == [(None, "not a time")]
    assert read([-1.5, 1e300], type="time", unit="s") == [(None, "not a time")] * 2
    assert read([1709524800000], type="day") == [(None, "not a day")]


@pytest.mark.parametrize(
    ("spelling", "day"),
    [
        ("2024-03-03T16:00:00Z", 4), ("2024-03-03 15:59:59.999Z", 3), ("2024-03-04 00:00:00+08:00", 4),
        ("2024-03-04 00:00:00+09:00", 3), ("2024-03-03 16:00:00 UTC", 4), ("2024-03-04 23:59:59", 4),
    ],
)  # fmt: skip
def test_an_instant_falls_on_the_day_of_the_jobs_zone(spelling: str, day: int) -> None:
    assert read([spelling, "2024-01-01"], type="day") == [(date(2024, 3, day), ""), (date(2024, 1, 1), "")]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Shanghai"])
def test_days_kept_as_timestamps(unit: str, zone: str) -> None:
    midnight = datetime(2024, 3, 3, 16, tzinfo=UTC)
    for value, kind in ((midnight, pa.timestamp(unit, zone)), (datetime(2024, 3, 4), pa.timestamp(unit))):
        assert read(pa.array([value, None], kind), type="day") == [(date(2024, 3, 4), ""), (None, "")]
    for business, expected in (("America/New_York", 3), ("UTC", 3), ("Pacific/Kiritimati", 4)):
        found = parse_column(pa.array([midnight], pa.timestamp(unit, zone)), Column(type="day"), business)
        assert found.values.to_pylist() == [date(2024, 3, expected)]


@pytest.mark.parametrize(
    ("cell", "expected", "reason"),
    [
        ('["rock, punk","jazz"]', ["rock, punk", "jazz"], ""), ('["caf\\u00e9"]', ["café"], ""),
        ('["cafe\u0301"]', ["café"], ""), ('["a\\/b"]', ["a/b"], ""), ("[null]", None, ""),
        ('["a", null, "b"]', ["a", "b"], ""), ('["\\"x\\", y", "]"]', ['"x", y', "]"], ""),
        ('["1.50", 1.50, 7, true]', ["1.50", "1.50", "7", "true"], ""),
        ('"[\\"a, b\\", \\"c\\"]"', ["a, b", "c"], ""),
        (' [ "a" ] ', ["a"], ""), ('["\'tis", "\\ud83c\\udfb5"]', ["'tis", "🎵"], ""), ("[]", None, ""),
        ('["a", ""]', None, "an empty item in a list"), ('["a", "b]', None, "not a list in JSON"),
        ('["a" "b"]', None, "not a list in JSON"), ('[1, "x]', None, "not a list in JSON"),
        ('["a", ["b"]]', None, "a list or an object within a list"),
        ('[{"a": 1}]', None, "a list or an object within a list"),
        ("[[1, 2], [3]]", None, "a list or an object within a list"), ('["\\ud800"]', None, "not a list in JSON"),
        ('["a", "b"', None, "a list without its other bracket"), ("[rock, null]", ["rock", "null"], ""),
        ("['a', 'b, c']", ["a", "b", "c"], ""), ("[a b, c]", ["a b", "c"], ""),
        ("Action|Comedy", ["Action|Comedy"], ""),
        ('["a"],["b"]', None, "not a list in JSON"), ("[" * 5000 + '"', None, "a list without its other bracket"),
        ("[" * 5000 + "]", None, "not a list in JSON"), ("null", None, ""), (' "null" ', None, ""),
        ('{"a": 1, "b": 2}', None, "in braces, which is no list"), ("{rock,punk}", None, "in braces, which is no list"),
        ('["' + '", "'.join(["x"] * 1001) + '"]', None, "more than 1000 items"),
    ],
)  # fmt: skip
def test_lists_in_json(cell: str, expected: list[str] | None, reason: str) -> None:
    (alone,) = read([cell], type="str_list")
    assert alone == (expected, reason)
    # Whatever else stands in the column.
    others = ['["x"]', "y, z", None, '["a", "b]', '["u"],["v"]']
    assert read([*others[:3], cell, *others[3:]], type="str_list")[3] == alone


def test_numbers_and_paths_in_json() -> None:
    assert read(['["12", 13.0, null, 14]', "[15, null]", '[1e3, "x"]'], type="int_list") == [
        ([12, 13, 14], ""), ([15], ""), (None, "not a whole number"),
    ]  # fmt: skip
    assert read(['["\\/a\\/b", "/c,d"]', "[/homework/exam/a, /b/c]", '["a"]'], type="path_list") == [
        (["/a/b", "/c,d"], ""), (["/homework/exam/a", "/b/c"], ""), (None, "not a path"),
    ]  # fmt: skip


def test_a_missing_item_is_left_out_of_lists_of_every_type() -> None:
    for lists in (pa.array([["a", None]]), pa.array(['["a", null]'])):
        assert read(lists, type="str_list") == [(["a"], "")]
    for lists in (pa.array([[1, None]]), pa.array([[1.0, float("nan")]]), pa.array(["[1, null]"])):
        assert read(lists, type="int_list") == [([1], "")]


def test_the_separator_is_a_setting() -> None:
    cells = ["Action|Comedy", "[a, b | c]", "x", "|y", '["a|b", "c"]', "[1, 2]"]
    assert read(cells, type="str_list", separator="|") == [
        (["Action", "Comedy"], ""), (["a, b", "c"], ""), (["x"], ""), (None, "an empty item in a list"),
        (["a|b", "c"], ""), (["1", "2"], ""),
    ]  # fmt: skip
    assert read(["12;13", "14"], type="int_list", separator=";") == [([12, 13], ""), ([14], "")]
    assert read(["/a::/b"], type="path_list", separator="::") == [(["/a", "/b"], "")]
    assert read(["a|b|c"], type="str_list", separator="|", max_items=2) == [(None, "more than 2 items")]


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


@pytest.mark.parametrize("unit", ["ms", "us"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_times_that_no_calendar_has(unit: str, zone: str | None) -> None:
    counts = [2**63 - 1, -(2**63), 253_402_300_800_000 * (1 if unit == "ms" else 1000), 0, None]
    array = pa.array(counts, pa.int64()).cast(pa.timestamp(unit, zone))
    assert [reason for _, reason in read(array, type="time")] == ["not a time"] * 3 + [""] * 2
    assert [reason for _, reason in read(array, type="day")] == ["not a day"] * 3 + [""] * 2


def test_days_and_times_at_the_ends_of_the_calendar() -> None:
    assert read(pa.array([2**31 - 1, -719_163, -719_162], pa.date32()), type="day") == [
        (None, "not a day"), (None, "not a day"), (date(1, 1, 1), ""),
    ]  # fmt: skip
    # In UTC midnight in Shanghai is of the year before, and the last hours of 9999 there are of the year after.
    assert read(["0001-01-01", "9999-12-31T20:00:00-05:00"], type="time") == [(None, "not a time")] * 2
    assert read(["0001-01-01", "9999-12-31T16:00:00Z"], type="day") == [(date(1, 1, 1), ""), (None, "not a day")]
    assert read(["0000-00-00 00:00:00Z"], type="time") == [(None, "not a time")]


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
