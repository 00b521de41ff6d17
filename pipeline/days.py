"""Calendar days: the unit in which everything in the pipeline is ordered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from pipeline.errors import UsageError

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
    def today(cls, zone: str) -> Day:
        return cls.of_instant(datetime.now(UTC), zone)

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

    def end(self, zone: str) -> datetime:
        """The instant at which this day ends in ``zone`` (aware, UTC)."""
        return datetime.combine(self.next().date, time(), ZoneInfo(zone)).astimezone(UTC)

    def __str__(self) -> str:
        return self.date.isoformat()

    def __repr__(self) -> str:
        return f"Day('{self}')"
