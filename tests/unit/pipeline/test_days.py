from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.days import Day
from pipeline.errors import UsageError

days = st.dates(date(1900, 1, 1), date(2199, 12, 31)).map(Day.from_date)


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
