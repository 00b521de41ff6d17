"""Waiting for what a real scheduler does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ops.backfill import BackfillFailed, Range, backfill
from ops.rest import Api, ApiError
from ops.scheduler import Scheduler

SLOW_LOOPS = {
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "1",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "600",
}
"""Of an Airflow whose DAGs do not change: while it waits it leaves the machine to the tests beside it."""
_DAGS = """# Airflow looks only into files that have its name.
from datetime import timedelta

from dayspring.daily_dag import daily_dag, report_dag

dag, report = daily_dag("{job}", ""), report_dag("{job}")
for task in dag.tasks:
    task.retry_delay = timedelta(seconds=1)
"""


def write_dags(folder: Path, job: str) -> Path:
    """A folder of the job's DAGs, whose tasks are tried again a second after they failed: no test waits for more."""
    (folder / "dags").mkdir()
    (folder / "dags" / f"{job}_daily.py").write_text(_DAGS.format(job=job), encoding="utf-8")
    return folder / "dags"


def wait_for(what: str, seen: Callable[[], bool], patience: float = 240) -> None:
    """Looks once a second until ``seen``; fails after ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while not seen():
        assert time.monotonic() < deadline, f"waited {patience:.0f} s for {what}"
        time.sleep(1)


def held_back(
    api: Api, ranges: Sequence[Range], logs: Path, scheduler: Scheduler, settled: Callable[[], bool]
) -> str:
    """What a backfill says that a failed day holds back, once all has been done that can be.

    On a busy machine it may give up before; then it is taken up again.
    """
    for _ in range(20):
        with pytest.raises(BackfillFailed) as failure:
            backfill(api, ranges, logs, patience=6, scheduler=scheduler)
        if settled():
            return str(failure.value)
    raise AssertionError(f"it never came to where it is held back: {failure.value}")


def asset_events(api: Api) -> list[dict[str, Any]]:
    """All events of assets, once Airflow can tell them.

    It answers 500 as long as a run that one of them started is queued (seen with 3.3.2): the run has no start yet.
    """
    found: list[dict[str, Any]] = []

    def told() -> bool:
        try:
            found[:] = api.get("/assets/events", limit=100)["asset_events"]
        except ApiError as error:
            if error.status != 500:
                raise
            return False
        return True

    wait_for("the events of the assets", told, 120)
    return found
