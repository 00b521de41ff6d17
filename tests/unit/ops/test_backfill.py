"""Backfilling against a recorded Airflow: which days are asked for, what is printed, when it gives up."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ops.backfill import BackfillFailed, Progress, Range, backfill, missing
from ops.rest import ApiError

DAYS = Range("ads", date(2024, 2, 28), date(2024, 3, 1))


class FakeAirflow:
    """Answers like the REST API; each look at the runs takes the next of ``script``, the last one for ever."""

    def __init__(self, *script: dict[str, tuple[str, dict[str, str]]]) -> None:
        self.script = list(script)
        self.now: dict[str, tuple[str, dict[str, str]]] = {}
        self.posted: list[dict[str, Any]] = []
        self.unpaused: list[str] = []
        self.existing: list[dict[str, Any]] = []
        self.refusals: list[int] = []
        self.cancelled: list[str] = []

    def runs(self, dag: str, **query: Any) -> list[dict[str, Any]]:
        self.now = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return [
            {"dag_run_id": day, "logical_date": day if "T" in day else f"{day}T00:00:00Z", "state": state}
            for day, (state, _) in self.now.items()
        ]

    def tasks(self, dag: str, run: str) -> list[dict[str, Any]]:
        return [{"task_id": task, "state": state} for task, state in self.now[run][1].items()]

    def get(self, path: str, **query: Any) -> Any:
        return {"backfills": self.existing} if path == "/backfills" else {"import_errors": []}

    def post(self, path: str, body: dict[str, Any], *, retry: bool = True) -> Any:
        if self.refusals:
            self.existing = [{"id": 7, "completed_at": None}]
            raise ApiError(self.refusals.pop(0), "database is locked")
        self.posted.append(body)

    def put(self, path: str) -> Any:
        self.cancelled.append(path)
        self.existing = []

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        self.unpaused.append(path)


GOOD = ("success", {"train_a": "success", "train_b": "success"})
SKIPPED = ("success", {"train_a": "skipped", "train_b": "skipped"})
HALF = ("success", {"train_a": "skipped", "train_b": "success"})
RED = ("failed", {"train_a": "failed", "train_b": "success", "fail_run": "failed"})
HELD: tuple[str, dict[str, str]] = ("running", {"train_a": "", "train_b": "success"})


def run(airflow: FakeAirflow, **options: Any) -> int:
    return backfill(airflow, [DAYS], Path("logs"), poll=0, **options)  # type: ignore[arg-type]


def test_a_range_holds_both_ends_and_leap_days() -> None:
    assert DAYS.days == ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert DAYS.dag == "ads_daily"


def test_days_without_a_successful_run_are_missing() -> None:
    airflow = FakeAirflow({"2024-02-28": GOOD, "2024-02-29": RED})
    assert missing(airflow, DAYS) == ["2024-02-29", "2024-03-01"]  # type: ignore[arg-type]


def test_a_run_by_hand_of_another_name_is_not_taken_for_that_of_its_date_in_utc() -> None:
    # 00:00 of the 29th in Shanghai.
    airflow = FakeAirflow({"2024-02-28": RED, "2024-02-28T16:00:00Z": GOOD})
    assert missing(airflow, DAYS) == DAYS.days  # type: ignore[arg-type]


def test_a_dag_that_is_not_parsed_yet_has_no_days() -> None:
    class NotYet(FakeAirflow):
        def runs(self, dag: str, **query: Any) -> list[dict[str, Any]]:
            raise ApiError(404, "no such DAG")

    assert missing(NotYet({}), DAYS) == DAYS.days  # type: ignore[arg-type]


def test_nothing_is_asked_for_when_every_day_succeeded() -> None:
    airflow = FakeAirflow(dict.fromkeys(DAYS.days, GOOD))
    assert run(airflow) == 0
    assert airflow.posted == []
    assert airflow.unpaused == []


def test_every_day_is_told_once_with_what_became_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = DAYS.days
    two = {first: GOOD, second: SKIPPED}
    airflow = FakeAirflow({}, {first: GOOD}, two, {**two, third: HALF})
    assert run(airflow) == 3
    lines = [line.split("  (")[0].strip() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "[1/3] ads       2024-02-28  trained a, b",
        "[2/3] ads       2024-02-29  skipped: no data to train on",
        "[3/3] ads       2024-03-01  trained b",
    ]
    assert airflow.posted[0]["reprocess_behavior"] == "failed"
    assert airflow.posted[0]["max_active_runs"] > len(DAYS.days)


def test_a_backfill_that_is_under_way_is_joined() -> None:
    airflow = FakeAirflow({}, dict.fromkeys(DAYS.days, HELD), dict.fromkeys(DAYS.days, GOOD))
    airflow.existing = [{"id": 1, "completed_at": None}]
    assert run(airflow) == 3
    assert (airflow.posted, airflow.cancelled) == ([], [])


def test_what_a_busy_sqlite_leaves_behind_is_cleared_away_and_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.backfill.time.sleep", lambda seconds: None)
    airflow = FakeAirflow({}, dict.fromkeys(DAYS.days, GOOD))
    airflow.refusals = [503, 503]
    assert run(airflow) == 3
    assert airflow.cancelled == ["/backfills/7/cancel"] * 2
    assert len(airflow.posted) == 1


def test_a_failed_day_and_those_that_it_holds_back_are_named() -> None:
    first, second, third = DAYS.days
    airflow = FakeAirflow({}, {first: GOOD, second: RED, third: HELD})
    with pytest.raises(BackfillFailed) as error:
        run(airflow, patience=0.05)
    assert "ads 2024-02-29: FAILED in train_a; logs: logs/dag_id=ads_daily/run_id=2024-02-29" in str(error.value)
    assert "first day held back: ads 2024-03-01" in str(error.value)


def test_a_retrying_task_is_waited_for() -> None:
    retrying = ("running", {"train_a": "up_for_retry"})
    airflow = FakeAirflow({}, *[dict.fromkeys(DAYS.days, retrying)] * 20, dict.fromkeys(DAYS.days, GOOD))
    assert run(airflow, patience=5) == 3


def test_what_is_under_way_is_shown_on_a_terminal_only() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    plain, terminal = io.StringIO(), Terminal()
    for out in (plain, terminal):
        progress = Progress(1, out=out)
        progress.under_way("ads 03-01 train_a")
        progress.ended("ads", "2024-03-01", "trained a")
    assert "train_a" not in plain.getvalue()
    assert "ads 03-01 train_a" in terminal.getvalue()
    assert "[1/1] ads       2024-03-01  trained a" in terminal.getvalue()
