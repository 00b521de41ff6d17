from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.errors import SourceError, UsageError
from pipeline.ingest.extract import extract
from pipeline.ingest.readiness import day_state, lacking
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.small_job import DAY, LOG, config, context, log_rows, write_log

END = datetime(2024, 3, 4, 16, tzinfo=UTC)
"""The end of the business day in UTC; the deadline is six hours later."""
EVENING = END - timedelta(hours=2)
NIGHT = END + timedelta(hours=1)
MORNING = END + timedelta(hours=7)


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    (tmp_path / "tables" / "log").mkdir(parents=True)
    return context(tmp_path, monkeypatch, config({"log": LOG}))


def two_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **second: Any) -> JobContext:
    for name in ("log", "sets"):
        (tmp_path / "tables" / name).mkdir(parents=True)
    return context(tmp_path, monkeypatch, config({"log": LOG, "sets": {**LOG, "source": "sets", **second}}))


def test_a_marked_day_is_ready_even_before_it_ends(job: JobContext, tmp_path: Path) -> None:
    write_log(tmp_path, log_rows(2))
    assert day_state(job, DAY, EVENING).state == "ready"


def test_an_unmarked_day_waits_until_the_deadline_and_is_then_read(job: JobContext, tmp_path: Path) -> None:
    write_log(tmp_path, log_rows(2), marked=False)
    found = day_state(job, DAY, NIGHT)
    assert found.state == "waiting"
    assert "log: not marked as complete" in found.reason
    assert day_state(job, DAY, MORNING).state == "ready"


def test_what_a_day_is_taken_without_is_told_by_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = two_tables(tmp_path, monkeypatch)
    write_log(tmp_path, log_rows(2), marked=False)
    assert day_state(job, DAY, MORNING).state == "incomplete"
    both = "log: not marked as complete; sets: not marked as complete"
    assert lacking(job, DAY, NIGHT) == lacking(job, DAY, MORNING) == both
    write_log(tmp_path, log_rows(2))
    assert lacking(job, DAY, MORNING) == "sets: not marked as complete"


def test_the_wait_ends_as_the_deadline_passes(job: JobContext, tmp_path: Path) -> None:
    write_log(tmp_path, log_rows(2), marked=False)
    found = day_state(job, DAY, NIGHT)
    assert found.until == END + timedelta(hours=6)
    assert day_state(job, DAY, found.until - timedelta(seconds=1)).state == "waiting"
    assert day_state(job, DAY, found.until).state == "ready"


def test_a_day_without_rows_waits_and_is_then_empty(job: JobContext) -> None:
    assert day_state(job, DAY, NIGHT).state == "waiting"
    found = day_state(job, DAY, MORNING)
    assert found.state == "empty"
    assert "after the deadline: log" in found.reason


def test_a_day_marked_ready_yet_empty_is_empty_at_once(job: JobContext, tmp_path: Path) -> None:
    write_log(tmp_path, log_rows(0))
    found = day_state(job, DAY, EVENING)
    assert (found.state, "marked ready" in found.reason) == ("empty", True)


@pytest.mark.parametrize("marked", [True, False])
def test_the_folders_of_a_warehouse_are_those_that_are_waited_for_and_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marked: bool
) -> None:
    counted = {**LOG, "ready": {"marker": True, "unchanged_minutes": 30}}
    (tmp_path / "tables" / "log").mkdir(parents=True)
    job = context(tmp_path, monkeypatch, config({"log": counted}))
    day = tmp_path / "tables" / "log" / f"dt={DAY.date:%Y%m%d}"
    for hour in ("00", "01"):
        (day / f"hour={hour}").mkdir(parents=True)
        pq.write_table(log_rows(3).drop_columns(["day"]), day / f"hour={hour}" / "000000_0")
    (day / "hour=00" / "_SUCCESS").touch()  # of an hour, not of the day
    if marked:
        (day / "_SUCCESS").touch()
    assert day_state(job, DAY, EVENING).state == ("ready" if marked else "waiting")
    found = day_state(job, DAY, NIGHT)
    assert ("6 rows, unchanged for 0 of 30 minutes" in found.reason) == (not marked)
    assert day_state(job, DAY, NIGHT + timedelta(minutes=31)).state == "ready"
    assert extract(job, DAY).manifest.rows == {"log": 6}


def test_a_dirty_day_needs_no_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(tmp_path, monkeypatch, config(dirty_days=["2024-03-04"]))
    assert day_state(job, DAY, MORNING).state == "dirty"


def test_a_future_day_is_wrong_use_and_names_today(job: JobContext) -> None:
    with pytest.raises(UsageError, match=r"2024-03-05 is in the future: the business day is 2024-03-04"):
        day_state(job, DAY.next(), EVENING)
    assert day_state(job, DAY.next(), END).state == "waiting"  # in Shanghai it has begun


def test_only_some_tables_with_rows_is_incomplete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = two_tables(tmp_path, monkeypatch)
    write_log(tmp_path, log_rows(2))
    assert day_state(job, DAY, NIGHT).state == "waiting"
    found = day_state(job, DAY, MORNING)
    assert found.state == "incomplete"
    assert "sets" in found.reason
    assert "dirty_days" in found.reason


def test_a_table_that_is_not_required_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = two_tables(tmp_path, monkeypatch, required=False)
    write_log(tmp_path, log_rows(2))
    assert day_state(job, DAY, NIGHT).state == "ready"


def test_a_missing_table_folder_is_an_error_naming_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(tmp_path, monkeypatch, config({"log": LOG}))
    with pytest.raises(SourceError, match=r"no table folder '.*log'"):
        day_state(job, DAY, MORNING)


def unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    (tmp_path / "tables" / "log").mkdir(parents=True)
    rule = {"marker": False, "unchanged_minutes": 30, "weekday_share": 0.5}
    return context(tmp_path, monkeypatch, config({"log": {**LOG, "ready": rule}}))


def test_a_row_count_that_stays_the_same_makes_a_day_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = unchanged(tmp_path, monkeypatch)
    write_log(tmp_path, log_rows(2), marked=False)
    assert "the day is not over" in day_state(job, DAY, EVENING).reason
    assert day_state(job, DAY, NIGHT).state == "waiting"
    write_log(tmp_path, log_rows(3), marked=False)
    assert day_state(job, DAY, NIGHT + timedelta(minutes=20)).state == "waiting"
    assert "unchanged for 25 of 30" in day_state(job, DAY, NIGHT + timedelta(minutes=45)).reason
    again = JobContext(job.config, job.root)  # another process: what was seen is on disk
    assert day_state(again, DAY, NIGHT + timedelta(minutes=50)).state == "ready"


def test_far_fewer_rows_than_on_the_same_weekday_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = unchanged(tmp_path, monkeypatch)
    for week, rows in ((1, 8), (2, 10), (3, 12)):
        with job.store.draft(Ref("extract", "tiny", DAY.plus(-7 * week))) as draft:
            draft.commit(key="k", digest="d", inputs=[], rows={"log": rows})
    write_log(tmp_path, log_rows(4), marked=False)
    day_state(job, DAY, NIGHT)
    assert "4 rows, where the same weekday has 10" in day_state(job, DAY, NIGHT + timedelta(minutes=31)).reason
    write_log(tmp_path, log_rows(5), marked=False)
    day_state(job, DAY, NIGHT + timedelta(minutes=32))
    assert day_state(job, DAY, NIGHT + timedelta(minutes=63)).state == "ready"


def test_rows_that_never_came_wait_for_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = unchanged(tmp_path, monkeypatch)
    assert "no rows yet" in day_state(job, DAY, NIGHT).reason
    assert "no rows yet" in day_state(job, DAY, NIGHT + timedelta(minutes=60)).reason
    assert day_state(job, DAY, MORNING).state == "empty"


def test_a_damaged_record_of_counts_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = unchanged(tmp_path, monkeypatch)
    write_log(tmp_path, log_rows(2), marked=False)
    day_state(job, DAY, NIGHT)
    record = next((job.root / "readiness").rglob("*.json"))
    record.write_text("{half")
    assert day_state(job, DAY, NIGHT + timedelta(minutes=40)).state == "waiting"
    assert day_state(job, DAY, NIGHT + timedelta(minutes=70)).state == "ready"
