from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from pipeline.config.tables import Column
from pipeline.ingest.parse.columns import parse_column
from pipeline.storage.physical_types import mixed_values
from tests.unit.pipeline.reading import ZONE, read


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
    digits = "YYYYMMDDHHMMSS, where numbers are milliseconds since 1970; write YYYY-MM-DD HH:MM:SS"
    for values in ([20240304120000], ["20240304120000"], pa.array([20240304120000.0])):
        assert read(values, type="time") == [(None, digits)]


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
