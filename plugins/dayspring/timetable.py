"""When a day's run starts: at the end of the business day in the job's zone.

None of Airflow's own timetables gives that together with logical dates that are labels of days. A cron expression in a
zone has the day's local midnight for its logical date, which in UTC is mostly another date, and a backfill from
midnights in UTC loses a day at its end.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pendulum
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable

from pipeline.days import Day
from pipeline.errors import UsageError


class BusinessDays(Timetable):
    """One run a day. Its logical date, where its interval starts, is 00:00 UTC of the day: a label, whatever the zone.

    The interval ends, and the run starts, with the day's end in the zone; the next day's label is one day further.

    Args:
        zone: of the job's business days.
    """

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.description = f"After each day of {zone}"

    @property
    def summary(self) -> str:
        return f"each day, {self.zone}"

    def serialize(self) -> dict[str, Any]:
        return {"zone": self.zone}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable:
        return cls(data["zone"])

    def infer_manual_data_interval(self, *, run_after: pendulum.DateTime) -> DataInterval:
        """The interval of a run by hand, whose logical date ``run_after`` is here."""
        try:
            day = Day.of_logical_date(run_after, self.zone)
        except UsageError:  # the run's first task refuses it, with the date to give
            day = Day.of_instant(run_after, self.zone)
        return self._interval(day)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        starts = [_from(restriction.earliest, self.zone)] if restriction.earliest is not None else []
        if not restriction.catchup:
            starts.append(self._last_whole_day(_now()))
        if last_automated_data_interval is not None:
            # Its label; a run that an earlier version made has the same.
            starts.append(Day.of_instant(last_automated_data_interval.start, "UTC").next())
        if not starts:
            return None
        day = max(starts)
        if restriction.latest is not None and day > _until(restriction.latest, self.zone):
            return None
        interval = self._interval(day)
        return DagRunInfo(run_after=interval.end, data_interval=interval)

    def _interval(self, day: Day) -> DataInterval:
        end = day.end(self.zone)
        # A day that the zone leaves out has no length; its run must not be called what the one before it is called.
        unlike = timedelta(seconds=1 if end == day.start(self.zone) else 0)
        return DataInterval(pendulum.instance(day.label), pendulum.instance(end + unlike))

    def _last_whole_day(self, now: datetime) -> Day:
        day = Day.of_instant(now, self.zone)
        while day.end(self.zone) > now:
            day = day.previous()
        return day


def _now() -> datetime:
    return datetime.now(UTC)


def _from(instant: datetime, zone: str) -> Day:
    """The first day that a range from ``instant`` on holds: what names a day is that day, else the next label."""
    try:
        return Day.of_logical_date(instant, zone)
    except UsageError:
        return Day.of_instant(instant, "UTC").next()


def _until(instant: datetime, zone: str) -> Day:
    """The last day that a range until ``instant`` holds."""
    try:
        return Day.of_logical_date(instant, zone)
    except UsageError:
        return Day.of_instant(instant, "UTC")
