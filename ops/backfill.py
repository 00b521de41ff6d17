"""Backfilling days through Airflow's scheduler, and showing how they get on."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TextIO

from ops.rest import Api, ApiError
from ops.scheduler import Scheduler

ENDED = ("success", "failed")
# Task states in which something will still happen without anybody's help.
MOVING = ("running", "queued", "scheduled", "deferred", "up_for_retry", "up_for_reschedule", "restarting")


@dataclass(frozen=True)
class Range:
    """Consecutive days of a job, both ends included."""

    job: str
    first: date
    last: date

    @property
    def dag(self) -> str:
        return f"{self.job}_daily"

    @property
    def days(self) -> list[str]:
        return [(self.first + timedelta(days=n)).isoformat() for n in range((self.last - self.first).days + 1)]


class BackfillFailed(Exception):
    """Some days did not end well; the message names each and its red tasks."""


@dataclass
class Progress:
    """Prints one line for each day that has ended; on a terminal also what is under way, in place."""

    total: int
    out: TextIO = field(default_factory=lambda: sys.stdout)
    started: float = field(default_factory=time.monotonic)
    done: int = 0
    live: str = ""

    def ended(self, job: str, day: str, how: str) -> None:
        self.done += 1
        self._clear()
        width = len(str(self.total))
        line = f"  [{self.done:>{width}}/{self.total}] {job:<9} {day}  {how}  (at {self._elapsed()})"
        print(line, file=self.out, flush=True)

    def under_way(self, text: str) -> None:
        if self.out.isatty() and text != self.live:
            self._clear()
            self.live = f"  {self._elapsed()}  {text}"[:110]
            print(self.live, end="\r", file=self.out, flush=True)

    def _clear(self) -> None:
        if self.live:
            print(" " * len(self.live), end="\r", file=self.out)
            self.live = ""

    def _elapsed(self) -> str:
        seconds = int(time.monotonic() - self.started)
        return f"{seconds // 60}:{seconds % 60:02d}"


def missing(api: Api, wanted: Range) -> list[str]:
    """The days of the range whose run has not succeeded yet."""
    states = _states(api, wanted)
    return [day for day in wanted.days if states.get(day, {}).get("state") != "success"]


def backfill(
    api: Api,
    ranges: Sequence[Range],
    logs: Path,
    patience: float = 180,
    poll: float = 3.0,
    scheduler: Scheduler | None = None,
) -> int:
    """Runs every day of ``ranges`` that has not succeeded; returns how many days that were.

    Args:
        logs: folder of the task logs, named when a day fails.
        patience: seconds without a moving task after which a range counts as stuck.
        scheduler: of an embedded Airflow: stopped while runs are created, started again if it dies.

    Raises ``BackfillFailed`` once nothing moves any more and some day has not succeeded.
    """
    todo = {wanted: set(days) for wanted in ranges if (days := missing(api, wanted))}
    total = sum(map(len, todo.values()))
    _start(api, ranges, list(todo), scheduler)
    failures = _watch(api, todo, Progress(total), logs, patience, poll, scheduler)
    if failures:
        raise BackfillFailed("\n".join(failures))
    return total


def _start(api: Api, ranges: Sequence[Range], wanting: Sequence[Range], scheduler: Scheduler | None) -> None:
    for wanted in wanting:
        _wait_until_known(api, wanted.dag)
    idle = not any(api.runs(wanted.dag, state=("queued", "running")) for wanted in ranges)
    with scheduler.stopped() if scheduler is not None and wanting and idle else nullcontext():
        for wanted in wanting:
            _create(api, wanted)
    for wanted in wanting:
        # Only now: the schedule would start a run of its own at once.
        api.patch(f"/dags/{wanted.dag}", {"is_paused": False})


def _watch(
    api: Api,
    todo: dict[Range, set[str]],
    progress: Progress,
    logs: Path,
    patience: float,
    poll: float,
    scheduler: Scheduler | None,
) -> list[str]:
    """Tell what becomes of each day until all have ended or nothing moves any more; what failed, in words."""
    moved = time.monotonic()
    failures: list[str] = []
    while todo:
        time.sleep(poll)
        if scheduler is not None and scheduler.revive():
            print("  the scheduler had ended and was started again", file=progress.out, flush=True)
        under_way: list[str] = []
        for wanted, pending in list(todo.items()):
            ended, busy = _look(api, wanted, pending)
            under_way += busy
            if ended or busy:
                moved = time.monotonic()
            for day, (run, how) in ended.items():
                progress.ended(wanted.job, day, how)
                if run["state"] == "failed":
                    failures.append(f"{wanted.job} {day}: {how}; logs: {_logs(logs, wanted.dag, run)}")
            pending -= set(ended)
            if not pending:
                del todo[wanted]
        progress.under_way(", ".join(under_way))
        if todo and time.monotonic() - moved > patience:
            held = ", ".join(f"{wanted.job} {min(days)}" for wanted, days in todo.items())
            return [*failures, f"nothing moves any more; first day held back: {held}"]
    return failures


def _look(
    api: Api, wanted: Range, pending: Collection[str]
) -> tuple[dict[str, tuple[dict[str, Any], str]], list[str]]:
    """Of the pending days: the run of each that has ended and how it did; the tasks of the others that are moving."""
    ended: dict[str, tuple[dict[str, Any], str]] = {}
    busy: list[str] = []
    for day, run in sorted(_states(api, wanted).items()):
        if day not in pending or run["state"] == "queued":
            continue
        tasks = api.tasks(wanted.dag, run["dag_run_id"])
        if run["state"] in ENDED:
            ended[day] = run, _outcome(run, tasks)
        elif now := [task["task_id"] for task in tasks if task["state"] in MOVING]:
            busy.append(f"{wanted.job} {day[5:]} {'+'.join(now)}")
    return ended, busy


def _states(api: Api, wanted: Range) -> dict[str, dict[str, Any]]:
    try:
        runs = api.runs(
            wanted.dag,
            logical_date_gte=f"{wanted.first.isoformat()}T00:00:00Z",
            logical_date_lte=f"{wanted.last.isoformat()}T23:59:59Z",
        )
    except ApiError as error:
        if error.status == 404:  # the DAG has not been parsed yet
            return {}
        raise
    # A run by hand may name its day by another instant than 00:00 UTC, which is on another date.
    return {run["logical_date"][:10]: run for run in runs if run["logical_date"][11:19] == "00:00:00"}


def _wait_until_known(api: Api, dag: str, patience: float = 120) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            api.get(f"/dags/{dag}")
            return
        except ApiError as error:
            if error.status != 404:
                raise
            broken = api.get("/importErrors")["import_errors"]
            if broken:
                first = broken[0]
                raise BackfillFailed(f"{first['filename']} does not load:\n{first['stack_trace']}") from None
            if time.monotonic() > deadline:
                raise BackfillFailed(f"Airflow has not found the DAG {dag} in {patience:.0f} s") from None
            time.sleep(0.5)


def _create(api: Api, wanted: Range, attempts: int = 12, pause: float = 0.5) -> None:
    """Asks for the failed and missing days of the range; a backfill that is under way already is joined."""
    if _active(api, wanted.dag):
        if api.runs(wanted.dag, state=("queued", "running")):
            return
        _cancel(api, wanted.dag)
    body = {
        "dag_id": wanted.dag,
        "from_date": f"{wanted.first.isoformat()}T00:00:00Z",
        "to_date": f"{wanted.last.isoformat()}T00:00:00Z",
        "reprocess_behavior": "failed",
        # More than the days: one that waits for a failed one must not hold the slot that its repair needs.
        "max_active_runs": len(wanted.days) + 1,
        "run_backwards": False,
        "dag_run_conf": {},
    }
    for attempt in range(1, attempts + 1):
        try:
            api.post("/backfills", body, retry=False)
            return
        except ApiError as error:
            if error.status not in (409, 500, 503) or attempt == attempts:
                raise
        # SQLite was busy. Airflow may then leave a backfill behind that has no runs and blocks the next one.
        time.sleep(pause * attempt)
        _cancel(api, wanted.dag)


def _active(api: Api, dag: str) -> list[int]:
    found = api.get("/backfills", dag_id=dag)["backfills"]
    return [backfill["id"] for backfill in found if backfill["completed_at"] is None]


def _cancel(api: Api, dag: str) -> None:
    for number in _active(api, dag):
        try:
            api.put(f"/backfills/{number}/cancel")
        except ApiError as error:
            if error.status != 409:  # it has ended meanwhile
                raise


def _outcome(run: dict[str, Any], tasks: list[dict[str, Any]]) -> str:
    red = [task["task_id"] for task in tasks if task["state"] == "failed" and task["task_id"] != "fail_run"]
    if run["state"] == "failed":
        return "FAILED in " + (", ".join(red) or "no task: it was stopped from outside")
    trained = [task["task_id"] for task in tasks if task["task_id"].startswith("train_")]
    skipped = [task["task_id"] for task in tasks if task["task_id"] in trained and task["state"] == "skipped"]
    if len(skipped) == len(trained):
        return "skipped: no data to train on"
    names = ", ".join(name.removeprefix("train_") for name in sorted(set(trained) - set(skipped)))
    return f"trained {names}"


def _logs(logs: Path, dag: str, run: dict[str, Any]) -> Path:
    return logs / f"dag_id={dag}" / f"run_id={run['dag_run_id']}"
