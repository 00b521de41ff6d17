"""Days that were skipped for want of data and have come since."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.ingest.late_days import LOOK_BACK, late_days
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.small_job import DAY, LOG, config, context, log_rows, write_log


def mark(job: JobContext, day: Day, *, skipped: bool) -> None:
    with job.store.draft(Ref("day", job.job, day)) as draft:
        state = {"state": "skipped", "reason": "no rows"} if skipped else {}
        draft.commit(key=str(day), digest=str(day), inputs=[], **state)  # type: ignore[arg-type]


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    """Four days: the first and the third were skipped."""
    (tmp_path / "tables" / "log").mkdir(parents=True)
    made = context(tmp_path, monkeypatch, config({"log": LOG}))
    for number in range(4):
        mark(made, DAY.plus(number), skipped=number in (0, 2))
    return made


def test_a_skipped_day_that_has_rows_now_comes_with_the_command_that_takes_it_in(
    job: JobContext, tmp_path: Path
) -> None:
    assert list(late_days(job)) == []
    for number in range(4):
        write_log(tmp_path, log_rows(3, DAY.plus(number)), DAY.plus(number))
    found = list(late_days(job))
    assert [(each.day, each.state) for each in found] == [(DAY, "ready"), (DAY.plus(2), "ready")]
    assert found[1].command == (
        "python -m pipeline backfill --job tiny --from 2024-03-06 --to 2024-03-07 --late-days"
    )


def test_days_too_far_back_are_not_asked_about(job: JobContext, tmp_path: Path) -> None:
    write_log(tmp_path, log_rows(3))
    assert [each.day for each in late_days(job, look_back=3)] == [DAY]
    assert list(late_days(job, look_back=2)) == []
    mark(job, DAY.plus(LOOK_BACK + 1), skipped=False)
    assert list(late_days(job)) == []


def test_a_dirty_day_stays_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = context(tmp_path, monkeypatch, config({"log": LOG}, dirty_days=[str(DAY)]))
    write_log(tmp_path, log_rows(3))
    mark(made, DAY, skipped=True)
    assert list(late_days(made)) == []
