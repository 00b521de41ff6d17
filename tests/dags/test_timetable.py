"""When runs start and by when they release: the timetable and the deadline's reference, with instants by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pendulum
import pytest

from pipeline.days import Day

# Zone, day, and when its run starts: the day's end there, in UTC.
ENDS = [
    ("UTC", "2024-02-27", "2024-02-28T00:00"),
    ("Asia/Shanghai", "2024-02-27", "2024-02-27T16:00"),
    ("Asia/Kolkata", "2024-02-27", "2024-02-27T18:30"),
    ("Pacific/Kiritimati", "2024-02-27", "2024-02-27T10:00"),
    ("Pacific/Pago_Pago", "2024-02-27", "2024-02-28T11:00"),
    ("America/New_York", "2024-03-09", "2024-03-10T05:00"),
    ("America/New_York", "2024-03-10", "2024-03-11T04:00"),  # 23 hours
    ("America/New_York", "2024-11-03", "2024-11-04T05:00"),  # 25 hours
    ("America/Sao_Paulo", "2017-10-14", "2017-10-15T03:00"),  # the next day begins at 01:00
    ("America/Sao_Paulo", "2018-02-17", "2018-02-18T03:00"),
]


def timetable(zone: str) -> Any:
    from dayspring.timetable import BusinessDays

    return BusinessDays(zone)


def utc(text: str) -> pendulum.DateTime:
    return pendulum.instance(datetime.fromisoformat(text).replace(tzinfo=UTC))


def label(day: str) -> pendulum.DateTime:
    return utc(f"{day}T00:00")


def restriction(earliest: Any = None, latest: Any = None, *, catchup: bool = True) -> Any:
    from airflow.timetables.base import TimeRestriction

    return TimeRestriction(earliest, latest, catchup)


def after(zone: str, last: str | None, **bounds: Any) -> Any:
    """The run after that of the day ``last``."""
    from airflow.timetables.base import DataInterval

    known = timetable(zone)
    # Whatever the interval's end: an earlier version had it a day after its start.
    interval = DataInterval(label(last), label(last).add(days=1)) if last is not None else None
    return known.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction(**bounds))


def between(zone: str, earliest: pendulum.DateTime, latest: pendulum.DateTime) -> list[str]:
    """The days of a backfill's range, as Airflow finds them: one run after the other."""
    found: list[str] = []
    known, info = timetable(zone), None
    while info := known.next_dagrun_info_v2(last_dagrun_info=info, restriction=restriction(earliest, latest)):
        assert info.logical_date == label(str(info.logical_date)[:10])
        found.append(str(info.logical_date)[:10])
    return found


@pytest.mark.parametrize(("zone", "day", "end"), ENDS)
def test_a_run_has_its_days_label_and_starts_at_its_end(zone: str, day: str, end: str) -> None:
    info = after(zone, str(Day.parse(day).previous()))
    assert info.logical_date == label(day)
    assert info.data_interval == (label(day), utc(end))
    assert info.run_after == utc(end)


@pytest.mark.parametrize(("zone", "day", "end"), ENDS)
def test_a_run_by_hand_has_the_same_interval_by_either_name(zone: str, day: str, end: str) -> None:
    for named in (label(day), pendulum.instance(Day.parse(day).start(zone))):
        assert timetable(zone).infer_manual_data_interval(run_after=named) == (label(day), utc(end))


def test_one_that_names_no_day_gets_an_interval_and_is_left_to_its_first_task() -> None:
    interval = timetable("Asia/Shanghai").infer_manual_data_interval(run_after=utc("2024-02-27T10:30"))
    assert interval == (label("2024-02-27"), utc("2024-02-27T16:00"))


@pytest.mark.parametrize(
    ("zone", "now", "newest"),
    [
        ("Asia/Shanghai", "2024-02-27T15:59:59", "2024-02-26"),
        ("Asia/Shanghai", "2024-02-27T16:00:00", "2024-02-27"),
        ("Pacific/Kiritimati", "2024-02-27T10:00:00", "2024-02-27"),  # its date in UTC is not over
        ("Pacific/Pago_Pago", "2024-02-28T10:59:59", "2024-02-26"),
        ("America/New_York", "2024-03-11T03:59:59", "2024-03-09"),
        ("America/New_York", "2024-03-11T04:00:00", "2024-03-10"),
        ("America/New_York", "2024-11-04T04:30:00", "2024-11-02"),
        ("America/Sao_Paulo", "2017-10-15T03:00:00", "2017-10-14"),
        ("America/St_Johns", "2006-10-29T02:30:30", "2006-10-27"),  # the 28th comes back at 00:01 of the 29th
        ("America/St_Johns", "2006-10-29T03:30:00", "2006-10-28"),
    ],
)
def test_the_schedule_begins_with_the_last_whole_day(
    zone: str, now: str, newest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dayspring import timetable as module

    monkeypatch.setattr(module, "_now", lambda: utc(now))
    old = label("2001-01-01")
    for last in (None, "2001-01-05"):
        assert after(zone, last, earliest=old, catchup=False).logical_date == label(newest)
    following = after(zone, newest, earliest=old, catchup=False)
    assert following.logical_date == label(newest).add(days=1)
    assert following.run_after > utc(now)


def test_the_schedule_ends_with_the_last_day_of_the_data() -> None:
    assert after("Asia/Shanghai", "2024-03-09", latest=label("2024-03-10")).logical_date == label("2024-03-10")
    assert after("Asia/Shanghai", "2024-03-10", latest=label("2024-03-10")) is None
    assert after("Asia/Shanghai", None) is None  # nothing to begin with


DAYS = ["2024-03-09", "2024-03-10", "2024-03-11"]


@pytest.mark.parametrize("zone", sorted({zone for zone, _, _ in ENDS}))
def test_a_range_holds_its_days_by_either_name_of_its_ends(zone: str) -> None:
    first, last = Day.parse(DAYS[0]), Day.parse(DAYS[-1])
    for begin in (first.label, first.start(zone)):
        for end in (last.label, last.start(zone)):
            assert between(zone, pendulum.instance(begin), pendulum.instance(end)) == DAYS


def test_a_range_of_other_instants_holds_the_labels_in_it() -> None:
    assert between("Asia/Shanghai", utc("2024-03-08T10:00"), utc("2024-03-11T10:00")) == DAYS


def test_each_day_of_a_year_has_one_run_and_they_start_in_order() -> None:
    for zone in ("America/New_York", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu"):
        known, info, starts, days = timetable(zone), None, [], []
        bounds = restriction(label("2011-01-01"), label("2011-12-31"))
        while info := known.next_dagrun_info_v2(last_dagrun_info=info, restriction=bounds):
            starts.append(info.run_after)
            days.append(str(info.logical_date)[:10])
        assert days == [str(day) for day in Day.of(2011, 1, 1).through(Day.of(2011, 12, 31))]
        # Apia left the 30th of December out: its run, which finds nothing, still has a name of its own.
        assert all(one < other for one, other in pairwise(starts)), zone


def test_airflow_stores_and_restores_both(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.serialization.decoders import decode_deadline_alert, decode_timetable
    from airflow.serialization.encoders import encode_deadline_alert, encode_timetable

    from dayspring.deadlines import release_deadline

    restored: Any = decode_timetable(encode_timetable(timetable("Asia/Kolkata")))
    assert restored.zone == "Asia/Kolkata"
    assert restored.summary == "each day, Asia/Kolkata"
    alert = decode_deadline_alert(encode_deadline_alert(release_deadline("ads", "04:30", "Asia/Kolkata", 2)))
    inner: Any = alert.reference
    assert (inner.inner_ref.by, inner.inner_ref.zone, inner.inner_ref.held_days) == ("04:30", "Asia/Kolkata", 2)


@pytest.mark.parametrize(
    ("zone", "day", "by", "held", "due"),
    [
        ("Asia/Shanghai", "2024-02-27", "04:00", 0, "2024-02-27T20:00"),
        ("Asia/Kolkata", "2024-02-27", "04:00", 0, "2024-02-27T22:30"),
        ("Pacific/Kiritimati", "2024-02-27", "04:00", 0, "2024-02-27T14:00"),
        ("America/New_York", "2024-03-08", "04:00", 0, "2024-03-09T09:00"),  # the night before the clocks are set …
        ("America/New_York", "2024-03-09", "04:00", 0, "2024-03-10T08:00"),  # … and that night
        ("America/New_York", "2024-11-02", "04:00", 0, "2024-11-03T09:00"),
        ("America/New_York", "2024-03-09", "02:30", 0, "2024-03-10T07:00"),  # a time that is left out
        ("America/Sao_Paulo", "2017-10-14", "00:30", 0, "2017-10-15T03:00"),
        ("America/New_York", "2024-03-07", "04:00", 2, "2024-03-10T08:00"),  # held for two days
        ("Asia/Shanghai", "2024-02-27", "04:00", 3, "2024-03-01T20:00"),
    ],
)
def test_a_release_is_due_at_a_time_of_the_zones_clocks(zone: str, day: str, by: str, held: int, due: str) -> None:
    from dayspring.deadlines import ReleaseBy

    assert ReleaseBy(by, zone, held).instant(label(day)) == utc(due)


def test_only_a_run_of_the_schedule_has_a_time_by_which_it_is_late() -> None:
    from sqlalchemy.dialects import sqlite

    from dayspring.deadlines import ReleaseBy

    class Session:
        """Answers as the table of runs would: the date of the run, if it is one of the schedule's."""

        def __init__(self, run_type: str) -> None:
            self.run_type = run_type

        def scalar(self, statement: Any) -> Any:
            text = str(statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
            assert "dag_id = 'ads_daily'" in text
            assert "run_id = 'run'" in text
            return label("2024-02-27") if f"run_type = '{self.run_type}'" in text else None

    reference = ReleaseBy("04:00", "Asia/Shanghai")
    for run_type, due in (("scheduled", utc("2024-02-27T20:00")), ("backfill", None), ("manual", None)):
        assert reference._evaluate_with(session=Session(run_type), dag_id="ads_daily", run_id="run") == due
