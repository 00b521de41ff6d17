from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.days import Day, checked_zone
from pipeline.errors import UsageError

days = st.dates(date(1900, 1, 1), date(2199, 12, 31)).map(Day.from_date)

modern = st.dates(date(1970, 1, 1), date(2099, 12, 31)).map(Day.from_date)
zones = st.sampled_from(sorted(available_timezones()))


@given(days)
def test_text_and_back(day: Day) -> None:
    assert Day.parse(str(day)) == day
    assert Day.from_date(day.date) == day
    assert day.next().previous() == day
    assert day.next() - day == 1


@given(days, days)
def test_order_is_that_of_dates_and_of_text(one: Day, other: Day) -> None:
    assert (one < other) == (one.date < other.date) == (str(one) < str(other))
    assert one.plus(other - one) == other
    assert len(list(one.through(other))) == max(0, other - one + 1)


@given(days, st.integers(1, 3))
def test_year_before_keeps_the_date_or_the_weekday(day: Day, years: int) -> None:
    same_date = day.year_before(years)
    assert same_date.date.year == day.date.year - years
    if (day.date.month, day.date.day) == (2, 29) and same_date.date.day != 29:
        assert str(same_date).endswith("-02-28")
    else:
        assert str(same_date)[4:] == str(day)[4:]
    same_weekday = day.year_before(years, same_weekday=True)
    assert same_weekday.weekday == day.weekday
    assert abs(same_weekday - same_date) <= 2 * years


def test_29_february() -> None:
    assert Day.of(2024, 2, 29).year_before() == Day.of(2023, 2, 28)
    assert Day.of(2024, 2, 29).year_before(4) == Day.of(2020, 2, 29)
    assert Day.of(2024, 2, 28).next() == Day.of(2024, 2, 29)
    assert Day.of(2024, 3, 1).year_before(same_weekday=True) == Day.of(2023, 3, 3)


@pytest.mark.parametrize(
    "text", ["2024-2-1", "20240201", "2024-02-30", "2024/02/01", "", " 2024-02-01", "２０２４-02-01"]
)
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(UsageError, match=r"YYYY-MM-DD|calendar"):
        Day.parse(text)


def test_business_day_of_an_instant() -> None:
    assert Day.of_instant(datetime(2024, 3, 1, 15, 59, tzinfo=UTC), "Asia/Shanghai") == Day.of(2024, 3, 1)
    assert Day.of_instant(datetime(2024, 3, 1, 16, 0, tzinfo=UTC), "Asia/Shanghai") == Day.of(2024, 3, 2)
    west = timezone(timedelta(hours=-8))
    assert Day.of_instant(datetime(2024, 3, 1, 8, 0, tzinfo=west), "Asia/Shanghai") == Day.of(2024, 3, 2)
    assert Day.of(2024, 3, 1).end("Asia/Shanghai") == datetime(2024, 3, 1, 16, tzinfo=UTC)


def test_a_day_begins_by_the_clocks_of_the_zone() -> None:
    last = datetime(2024, 3, 1, 15, 59, tzinfo=UTC)
    with pytest.raises(UsageError, match="2024-03-02 is in the future: the business day is 2024-03-01 in Asia/Shangha"):
        Day.of(2024, 3, 2).guard_begun("Asia/Shanghai", last)
    Day.of(2024, 3, 2).guard_begun("Asia/Shanghai", last.replace(hour=16))
    Day.of(2024, 3, 1).guard_begun("Asia/Shanghai")


# Beginning and end of a day in UTC, by hand from the zone's rules at that time.
BOUNDS = [
    ("Asia/Shanghai", "2024-02-27", "2024-02-26T16:00", "2024-02-27T16:00"),  # UTC+8, no change ever since 1991
    ("Asia/Kolkata", "2024-02-27", "2024-02-26T18:30", "2024-02-27T18:30"),  # UTC+5:30
    ("Pacific/Kiritimati", "2024-02-27", "2024-02-26T10:00", "2024-02-27T10:00"),  # UTC+14: the first to begin a day
    ("Pacific/Pago_Pago", "2024-02-27", "2024-02-27T11:00", "2024-02-28T11:00"),  # UTC-11: the last
    ("America/New_York", "2024-03-10", "2024-03-10T05:00", "2024-03-11T04:00"),  # 02:00 → 03:00: 23 hours
    ("America/New_York", "2024-11-03", "2024-11-03T04:00", "2024-11-04T05:00"),  # 02:00 → 01:00: 25 hours
    ("America/Sao_Paulo", "2017-10-14", "2017-10-14T03:00", "2017-10-15T03:00"),  # the next day has no midnight
    ("America/Sao_Paulo", "2017-10-15", "2017-10-15T03:00", "2017-10-16T02:00"),  # begins at 01:00, 23 hours
    ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00", "2018-02-18T03:00"),  # 24:00 → 23:00 of itself: 25 hours
    ("Africa/Cairo", "2024-04-26", "2024-04-25T22:00", "2024-04-26T21:00"),  # begins at 01:00, by the rules since 2023
    ("America/St_Johns", "2006-10-28", "2006-10-28T02:30", "2006-10-29T03:30"),  # 00:01 → 23:01: it comes back
    ("America/Havana", "2000-10-28", "2000-10-28T04:00", "2000-10-29T04:00"),  # 01:00 → 00:00: two midnights, one day
    ("America/Toronto", "1919-03-31", "1919-03-31T04:30", "1919-04-01T04:00"),  # 23:30 → 00:30 the evening before
    ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00", "2011-12-30T10:00"),  # then the date line is crossed …
    ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00", "2011-12-30T10:00"),  # … and this day is left out
]


@pytest.mark.parametrize(("zone", "day", "start", "end"), BOUNDS)
def test_where_a_day_begins_and_ends(zone: str, day: str, start: str, end: str) -> None:
    assert f"{Day.parse(day).start(zone):%Y-%m-%dT%H:%M}" == start
    assert f"{Day.parse(day).end(zone):%Y-%m-%dT%H:%M}" == end


@given(
    st.dates(date(1970, 1, 1), date(2099, 12, 31)).map(Day.from_date), st.sampled_from(sorted(available_timezones()))
)
def test_bounds_are_where_the_date_changes(day: Day, zone: str) -> None:
    start, end, moment = day.start(zone), day.end(zone), timedelta(microseconds=1)
    assert Day.of_instant(start, zone) >= day > Day.of_instant(start - moment, zone)
    assert Day.of_instant(end, zone) > day
    assert end == start or Day.of_instant(end - moment, zone) <= day


@pytest.mark.parametrize(
    ("zone", "day", "clock", "instant"),
    [
        ("Asia/Shanghai", "2024-02-28", time(4), "2024-02-27T20:00"),
        ("America/New_York", "2024-03-10", time(4), "2024-03-10T08:00"),  # three hours after midnight, not four
        ("America/New_York", "2024-11-03", time(4), "2024-11-03T09:00"),  # five hours after it
        ("America/New_York", "2024-03-10", time(2, 30), "2024-03-10T07:00"),  # no such time: at the change, 03:00
        ("America/New_York", "2024-11-03", time(1, 30), "2024-11-03T05:30"),  # twice: the first
    ],
)
def test_a_time_of_the_day_by_the_clock(zone: str, day: str, clock: time, instant: str) -> None:
    assert f"{Day.parse(day).at(clock, zone):%Y-%m-%dT%H:%M}" == instant


@pytest.mark.parametrize(
    ("given_date", "zone", "day"),
    [
        ("2024-02-27T00:00:00+00:00", "Asia/Shanghai", "2024-02-27"),  # the label, whatever the zone
        ("2024-02-27T08:00:00+08:00", "Asia/Shanghai", "2024-02-27"),  # the same instant
        ("2024-02-27T00:00:00+08:00", "Asia/Shanghai", "2024-02-27"),  # what a form there sends
        ("2024-02-27T00:00:00+05:30", "Asia/Kolkata", "2024-02-27"),
        ("2024-02-27T00:00:00+14:00", "Pacific/Kiritimati", "2024-02-27"),
        ("2024-02-27T00:00:00-11:00", "Pacific/Pago_Pago", "2024-02-27"),
        ("2024-03-10T00:00:00-05:00", "America/New_York", "2024-03-10"),
        ("2024-03-11T00:00:00-04:00", "America/New_York", "2024-03-11"),
        ("2024-11-04T00:00:00-05:00", "America/New_York", "2024-11-04"),
        ("2017-10-15T01:00:00-02:00", "America/Sao_Paulo", "2017-10-15"),  # the day's first instant shows 01:00
        ("2017-10-15T00:00:00-03:00", "America/Sao_Paulo", "2017-10-15"),  # the same instant
    ],
)
def test_the_day_of_a_logical_date(given_date: str, zone: str, day: str) -> None:
    assert str(Day.of_logical_date(datetime.fromisoformat(given_date), zone)) == day


@pytest.mark.parametrize(
    ("given_date", "zone", "day"),
    [
        ("2024-02-27T00:00:00+08:00", "UTC", "2024-02-26"),  # a browser in another zone than the job's
        ("2024-02-27T00:00:00+09:00", "Asia/Shanghai", "2024-02-26"),
        ("2024-02-27T09:30:00+08:00", "Asia/Shanghai", "2024-02-27"),
        ("2024-02-27T00:00:00.000001+00:00", "Asia/Shanghai", "2024-02-27"),
        ("2024-03-11T00:00:00-05:00", "America/New_York", "2024-03-11"),  # 01:00 there: summer time has begun
        ("2000-10-29T00:00:00-05:00", "America/Havana", "2000-10-29"),  # its second midnight
    ],
)
def test_a_logical_date_that_names_no_day_is_refused_with_the_date_to_give(
    given_date: str, zone: str, day: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(f"{given_date} is neither 00:00 UTC of a day")) as refused:
        Day.of_logical_date(datetime.fromisoformat(given_date), zone)
    assert str(refused.value).endswith(f"for the {day} give {day}T00:00:00+00:00")


@given(
    st.dates(date(1970, 1, 1), date(2099, 12, 31)).map(Day.from_date), st.sampled_from(sorted(available_timezones()))
)
def test_a_day_has_two_forms_and_no_other_days_form_is_one_of_them(day: Day, zone: str) -> None:
    assert Day.of_logical_date(day.label, zone) == day
    start = day.start(zone)
    if Day.of_instant(start, zone) == day:  # else the zone leaves it out
        assert Day.of_logical_date(start, zone) == day


@pytest.mark.parametrize("name", ["Asia", "Mars/Olympus", "", "../etc"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    assert checked_zone("Asia/Shanghai") == "Asia/Shanghai"
    with pytest.raises(ValueError, match=rf"'{re.escape(name)}' is not a time zone; write one such as Asia/Shanghai"):
        checked_zone(name)
