"""Calendar days: the unit in which everything in the pipeline is ordered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.errors import UsageError

ZONE = "Asia/Shanghai"
"""The zone of a job that names none."""
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, order=True, slots=True)
class Day:
    """A calendar date in the business time zone, ordered and hashable.

    >>> Day.parse("2024-02-29").year_before()
    Day('2023-02-28')
    """

    ordinal: int

    @classmethod
    def parse(cls, text: str) -> Day:
        """The day written ``YYYY-MM-DD``; raises ``UsageError`` for anything else."""
        if not isinstance(text, str) or not _ISO.fullmatch(text):
            raise UsageError(f"'{text}' is not a day; write it as YYYY-MM-DD, for example 2024-03-01")
        try:
            return cls(date.fromisoformat(text).toordinal())
        except ValueError as error:
            raise UsageError(f"'{text}' is not a day of the calendar ({error})") from None

    @classmethod
    def of(cls, year: int, month: int, day: int) -> Day:
        return cls(date(year, month, day).toordinal())

    @classmethod
    def from_date(cls, value: date) -> Day:
        return cls(value.toordinal())

    @classmethod
    def of_instant(cls, instant: datetime, zone: str) -> Day:
        """The business day that an aware instant falls on in ``zone``."""
        return cls(instant.astimezone(ZoneInfo(zone)).toordinal())

    @classmethod
    def of_logical_date(cls, given: datetime, zone: str) -> Day:
        """The day that an aware logical date names, for a job whose business days are those of ``zone``.

        00:00 UTC of a day is that day, whatever the zone: a label. The day's first instant in ``zone``, which is what a
        form filled in there sends, is that day too. Raises ``UsageError``, with the date to give, for anything else.

        >>> Day.of_logical_date(datetime.fromisoformat("2024-02-27T00:00:00+08:00"), "Asia/Shanghai")
        Day('2024-02-27')
        """
        try:
            instant = given.astimezone(UTC)
            if instant.time() == time():
                return cls(instant.toordinal())
            day = cls.of_instant(instant, zone)
            if instant == day.start(zone):
                return day
        except OverflowError:
            raise UsageError(f"{given.isoformat()} is beyond the days that there are, year 1 to 9999") from None
        raise UsageError(
            f"{given.isoformat()} is neither 00:00 UTC of a day nor the beginning of one in {zone}; "
            f"for the {day} give {day}T00:00:00+00:00"
        )

    @classmethod
    def today(cls, zone: str) -> Day:
        return cls.of_instant(datetime.now(UTC), zone)

    def guard_begun(self, zone: str, now: datetime | None = None) -> None:
        """Raises ``UsageError`` for a day that has not begun in the zone."""
        today = Day.of_instant(now, zone) if now is not None else Day.today(zone)
        if self > today:
            raise UsageError(f"{self} is in the future: the business day is {today} in {zone}; give one that has begun")

    @property
    def date(self) -> date:
        return date.fromordinal(self.ordinal)

    @property
    def weekday(self) -> int:
        """0 = Monday … 6 = Sunday."""
        return self.date.weekday()

    def previous(self) -> Day:
        return Day(self.ordinal - 1)

    def next(self) -> Day:
        return Day(self.ordinal + 1)

    def plus(self, days: int) -> Day:
        return Day(self.ordinal + days)

    def __sub__(self, other: Day) -> int:
        """Days from ``other`` to this one."""
        return self.ordinal - other.ordinal

    def year_before(self, years: int = 1, *, same_weekday: bool = False) -> Day:
        """The same date ``years`` earlier, 29 February becoming 28 February.

        With ``same_weekday``, 364 days a year earlier, which keeps the weekday.
        """
        if same_weekday:
            return Day(self.ordinal - 364 * years)
        here = self.date
        try:
            return Day(here.replace(year=here.year - years).toordinal())
        except ValueError:
            return Day(date(here.year - years, 2, 28).toordinal())

    def through(self, last: Day) -> Iterator[Day]:
        """Every day from this one to ``last``, both included, in order."""
        for ordinal in range(self.ordinal, last.ordinal + 1):
            yield Day(ordinal)

    @property
    def label(self) -> datetime:
        """00:00 UTC of this date: how the day is written where an instant is asked for."""
        return datetime.combine(self.date, time(), UTC)

    def start(self, zone: str) -> datetime:
        """The first instant of this day in ``zone`` (aware, UTC)."""
        return self.at(time(), zone)

    def end(self, zone: str) -> datetime:
        """The instant from which on this day is over in ``zone`` (aware, UTC)."""
        return _first_and_last(datetime.combine(self.next().date, time()), zone)[1]

    def at(self, clock: time, zone: str) -> datetime:
        """The first instant (aware, UTC) at which a clock in ``zone`` shows this time of the day, or is set past it."""
        return _first_and_last(datetime.combine(self.date, clock), zone)[0]

    def __str__(self) -> str:
        return self.date.isoformat()

    def __repr__(self) -> str:
        return f"Day('{self}')"


def checked_zone(name: str) -> str:
    """The name of a time zone; raises ``ValueError`` where there is none of it."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones, such as Asia
        raise ValueError(f"'{name}' is not a time zone; write one such as Asia/Shanghai or UTC") from None
    return name


def _first_and_last(wall: datetime, zone: str) -> tuple[datetime, datetime]:
    """The first and the last instant at which the clocks of ``zone`` come to ``wall`` from before it.

    Two where they are set back to before it; where they are set forward over it, both are the instant of that change.
    """
    known = ZoneInfo(zone)
    early, late = sorted(wall.replace(tzinfo=known, fold=fold).astimezone(UTC) for fold in (0, 1))

    def shown(instant: datetime) -> datetime:
        return instant.astimezone(known).replace(tzinfo=None)

    if shown(early) == wall:
        return early, late if shown(late - timedelta(seconds=1)) < wall else early
    # A time that the zone leaves out: between the two, the clock jumps over it at a whole second.
    low, high = 0, int((late - early).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(early + timedelta(seconds=middle)) >= wall else (middle, high)
    change = early + timedelta(seconds=high)
    return change, change
