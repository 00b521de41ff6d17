"""The DAG under a real scheduler, with a stand-in for the pipeline's commands that ends as each day is told to."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from ops import airflow
from ops.backfill import Range, backfill
from ops.deployment import Deployment
from ops.processes import alive
from ops.rest import Api, ApiError
from pipeline.days import Day
from pipeline.monitoring.alerts.sent import SentAlerts
from tests.scheduled import SLOW_LOOPS, asset_events, held_back, wait_for

PROJECT = Path(__file__).resolve().parents[2]
# Of ads, day 2 is skipped and day 3's `first` fails for good (exit 2) until it is repaired; of homework, day 2's.
STAND_IN = """#!/bin/bash
[ "$1" = -u ] && shift
echo "$DAYSPRING_DIE_WITH_PARENT" > "$(dirname "$0")/workers"
case "$3" in alerts|run) echo "$*" >> "$(dirname "$0")/$3"; exit 0;; esac
[ "$3" = stage ] || exit 3
[ "$4" = report ] && echo '[{"experiment": "first", "verdict": "promote", "auc": 0.5, "rows": 9}]'
echo "$4 $8 ${10}" >> "$(dirname "$0")/calls.$6"
case "$6 $4 $8 ${10}" in
"ads experiment 2024-03-05 "*) exit 99;;
"ads experiment 2024-03-06 first"|"homework experiment 2024-03-04 first")
    [ -e "$(dirname "$0")/repaired.$6" ] || { echo "error: a setting is wrong"; exit 2; };;
esac
exit 0
"""
DAYS = Range("ads", date(2024, 3, 4), date(2024, 3, 7))
WEEK = Range("homework", date(2024, 3, 3), date(2024, 3, 7))
TODAY = Day.today("Asia/Shanghai")
# The schedule starts the last whole day by itself; midnight may come while the tests run.
NEWEST = [str(TODAY.previous()), str(TODAY)]
CLOSING = ("check", "release", "publish", "prune")
pytestmark = [pytest.mark.slow]


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Deployment, Path]]:
    folder = tmp_path_factory.mktemp("scheduler")
    conf = folder / "conf"
    conf.mkdir()
    for job in ("ads", "homework"):
        settings = yaml.safe_load((PROJECT / "conf" / f"{job}.yaml").read_text(encoding="utf-8"))
        one = next(iter(settings["experiments"].values()))
        settings["experiments"] = {"first": one, "second": one}
        settings["release"]["champion"] = "first"
        # Days known to be dirty need no source: the wait is over before it began.
        settings["dirty_days"] = [*WEEK.days, *NEWEST, "2024-02-28"]
        # Every day is past it at once, but only one of the schedule's can be late.
        settings["release"]["by"], settings["deadline_hours"] = "00:00", 0
        (conf / f"{job}.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    stand_in = folder / "python"
    stand_in.write_text(STAND_IN, encoding="utf-8")
    stand_in.chmod(stand_in.stat().st_mode | stat.S_IXUSR)
    environment = SLOW_LOOPS | {
        "DAYSPRING_CONF": str(conf),
        "DAYSPRING_PYTHON": str(stand_in),
        "DAYSPRING_ROOT": str(folder / "root"),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYSPRING_AIRFLOW_HOME", str(folder / "airflow"))
        deployment = airflow.up("wiring", environment)
        try:
            yield deployment, folder
        finally:
            airflow.down_one(deployment)


@pytest.fixture(scope="module")
def outcome(scheduler: tuple[Deployment, Path]) -> dict[str, Any]:
    """What the four days came to, with day 3 failed and then repaired."""
    deployment, folder = scheduler
    api, keeper = Api(deployment), airflow.scheduler_of(deployment)

    def settled() -> bool:
        found = states(api)
        return found["2024-03-06"]["run"] == "failed" and found["2024-03-07"]["train_second"] == "success"

    message = held_back(api, [DAYS], deployment.home / "logs", keeper, settled)
    broken, notes = states(api), {run["logical_date"][:10]: run["note"] for run in api.runs("ads_daily")}
    (folder / "repaired.ads").touch()
    run = next(run for run in api.runs("ads_daily") if run["logical_date"][:10] == "2024-03-06")
    api.post(
        "/dags/ads_daily/clearTaskInstances",
        {"dry_run": False, "dag_run_id": run["dag_run_id"], "only_failed": True, "reset_dag_runs": True},
    )
    again = backfill(api, [DAYS], deployment.home / "logs", patience=120, scheduler=keeper)
    return {
        "message": message, "broken": broken, "notes": notes, "again": again, "repaired": states(api),
        "calls": calls_of(folder, "ads"),
        "events": asset_events(api),
        "once_more": backfill(api, [DAYS], deployment.home / "logs"),
    }  # fmt: skip


def states(api: Api, dag: str = "ads_daily") -> dict[str, dict[str, str | None]]:
    """Task states of the backfilled days, the run's own under ``run``."""
    return {
        run["logical_date"][:10]: {
            "run": run["state"],
            **{task["task_id"]: task["state"] for task in api.tasks(dag, run["dag_run_id"])},
        }
        for run in api.runs(dag)
        if run["run_type"] == "backfill"
    }


def calls_of(folder: Path, job: str) -> list[str]:
    """The stages that were called for backfilled days, in order: stage, day and experiment."""
    lines = (folder / f"calls.{job}").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not any(day in line for day in NEWEST)]


def airflow_command(deployment: Deployment, *arguments: str) -> str:
    """What an `airflow` command prints; it must go well. SQLite may be busy once or twice."""
    for _ in range(5):
        done = subprocess.run(
            [str(Path(sys.executable).parent / "airflow"), *arguments],
            env=deployment.environment(), cwd=deployment.home, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode == 0 or "locked" not in done.stderr + done.stdout:
            break
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_only_the_days_that_were_asked_for_have_runs(outcome: dict[str, Any]) -> None:
    assert sorted(outcome["broken"]) == ["2024-03-04", "2024-03-05", "2024-03-06", "2024-03-07"]


def test_a_good_day_is_green(outcome: dict[str, Any]) -> None:
    day = outcome["broken"]["2024-03-04"]
    assert {state for task, state in day.items() if task != "fail_run"} == {"success"}
    assert day["fail_run"] == "skipped"


def test_a_skipped_day_is_green_and_starts_no_closing_stage(outcome: dict[str, Any]) -> None:
    day = outcome["broken"]["2024-03-05"]
    assert (day["run"], day["train_first"], day["train_second"], day["report"]) == (
        "success", "skipped", "skipped", "success",
    )  # fmt: skip
    assert {day[name] for name in CLOSING} == {"skipped"}
    assert not [call for call in outcome["calls"] if call.split()[0] in CLOSING and "2024-03-05" in call]


def test_a_failed_experiment_makes_the_run_red_and_lets_the_rest_go_on(outcome: dict[str, Any]) -> None:
    day = outcome["broken"]["2024-03-06"]
    assert (day["run"], day["train_first"], day["train_second"]) == ("failed", "failed", "success")
    assert {day[name] for name in (*CLOSING, "report")} == {"success"}
    assert "ads 2024-03-06: FAILED in train_first" in outcome["message"]
    assert "first day held back: ads 2024-03-07" in outcome["message"]


def test_a_runs_note_says_its_day_and_what_came_of_it(outcome: dict[str, Any]) -> None:
    notes = outcome["notes"]
    assert notes["2024-03-04"] == "Day 2024-03-04 (Asia/Shanghai); first promote, auc 0.5000"
    assert notes["2024-03-06"] == "Day 2024-03-06 (Asia/Shanghai); failed: train_first; first promote, auc 0.5000"
    assert notes["2024-03-07"] == "Day 2024-03-07 (Asia/Shanghai)"  # under way


def test_a_wrong_setting_is_not_retried(outcome: dict[str, Any]) -> None:
    assert outcome["calls"].count("experiment 2024-03-06 first") == 2  # once before the repair, once after


def test_the_next_day_waits_for_its_own_experiment_only(outcome: dict[str, Any]) -> None:
    day = outcome["broken"]["2024-03-07"]
    assert (day["run"], day["train_first"], day["train_second"]) == ("running", None, "success")


def test_clearing_the_failed_day_repairs_the_line_in_order(outcome: dict[str, Any]) -> None:
    assert {day["run"] for day in outcome["repaired"].values()} == {"success"}
    trained = [call.split()[1] for call in outcome["calls"] if call.startswith("experiment") and call.endswith("first")]
    assert trained == ["2024-03-04", "2024-03-05", "2024-03-06", "2024-03-06", "2024-03-07"]


def test_what_succeeded_is_not_run_again(outcome: dict[str, Any]) -> None:
    assert outcome["once_more"] == 0


def test_every_day_leaves_an_asset_event(outcome: dict[str, Any]) -> None:
    days = {event["extra"]["day"] for event in outcome["events"]}
    assert days - {*NEWEST} == set(outcome["repaired"])


@pytest.fixture(scope="module")
def by_command(scheduler: tuple[Deployment, Path], outcome: dict[str, Any]) -> dict[str, Any]:
    """Five days backfilled by the `airflow` command, the second failed and then cleared, by the command too."""
    deployment, folder = scheduler
    api = Api(deployment)
    create = (
        "backfill", "create", "--dag-id", WEEK.dag, "--from-date", WEEK.days[0], "--to-date", WEEK.days[-1],
        "--reprocess-behavior", "failed", "--max-active-runs", "8",
    )  # fmt: skip
    # SQLite has one writer; see ops.scheduler.
    with airflow.scheduler_of(deployment).stopped():
        airflow_command(deployment, *create)
    with pytest.raises(ApiError) as second:
        api.post("/backfills", {"dag_id": WEEK.dag, "from_date": "2024-03-04", "to_date": "2024-03-05",
                                "reprocess_behavior": "failed"}, retry=False)  # fmt: skip
    airflow_command(deployment, "dags", "unpause", WEEK.dag)

    def stuck() -> bool:
        found = states(api, WEEK.dag)
        return len(found) == len(WEEK.days) and all(
            day["train_second"] == "success" and (day["run"] == "failed" or day["train_first"] in (None, "success"))
            for day in found.values()
        ) and found["2024-03-04"]["run"] == "failed"  # fmt: skip

    wait_for("all that can run without the failed day", stuck)
    broken = states(api, WEEK.dag)
    (folder / "repaired.homework").touch()
    airflow_command(
        deployment, "tasks", "clear", WEEK.dag, "--start-date", "2024-03-04", "--end-date", "2024-03-04",
        "--only-failed", "--yes",
    )  # fmt: skip
    wait_for("the cleared week", lambda: {day["run"] for day in states(api, WEEK.dag).values()} == {"success"})
    return {
        "second": second.value, "broken": broken, "repaired": states(api, WEEK.dag),
        "calls": calls_of(folder, "homework"),
    }  # fmt: skip


def test_a_second_backfill_of_the_same_days_is_refused(by_command: dict[str, Any]) -> None:
    assert by_command["second"].status == 409
    assert "homework_daily has a backfill under way" in str(by_command["second"])


def test_a_failed_day_holds_back_its_own_experiment_only(by_command: dict[str, Any]) -> None:
    broken = by_command["broken"]
    assert [day["train_first"] for day in broken.values()] == ["success", "failed", None, None, None]
    assert [day["train_second"] for day in broken.values()] == ["success"] * 5


def test_the_cleared_day_is_followed_by_the_days_after_it_in_order(by_command: dict[str, Any]) -> None:
    assert sorted(by_command["repaired"]) == WEEK.days
    trained = [call.split()[1] for call in by_command["calls"] if call.startswith("experiment") and "first" in call]
    assert trained == [*WEEK.days[:2], *WEEK.days[1:]]


def test_the_alerts_of_each_day_are_looked_for_once_it_has_ended(
    scheduler: tuple[Deployment, Path], by_command: Any
) -> None:
    _, folder = scheduler

    def days() -> set[str]:
        lines = (folder / "alerts").read_text(encoding="utf-8").splitlines() if (folder / "alerts").exists() else []
        return {word for line in lines if "--job homework" in line for word in line.split() if word.startswith("2024")}

    wait_for("the alerts", lambda: days() >= set(WEEK.days), 120)


def test_what_failed_is_told_once(scheduler: tuple[Deployment, Path], by_command: Any) -> None:
    _, folder = scheduler
    found = [each for each in SentAlerts(folder / "root", "homework").read() if each["kind"] != "late_release"]
    assert [(each["kind"], each["day"], each["what"], each["way"]) for each in found] == [
        ("failure", "2024-03-04", "train_first", "log")
    ]


def test_a_release_that_is_late_is_told_by_the_triggerer(scheduler: tuple[Deployment, Path], by_command: Any) -> None:
    _, folder = scheduler

    def late() -> list[tuple[str, str]]:
        found = SentAlerts(folder / "root", "homework").read()
        return [(each["day"], each["text"]) for each in found if each["kind"] == "late_release"]

    wait_for("the alert", lambda: bool(late()), 120)
    for day, text in late():
        assert day in NEWEST
        assert text.startswith(f"not released by 00:00 of {Day.parse(day).next()}, Asia/Shanghai (release.by)")


def test_a_run_by_hand(scheduler: tuple[Deployment, Path], outcome: dict[str, Any]) -> None:
    deployment, folder = scheduler
    api = Api(deployment)

    def trigger(day: str | None, **conf: Any) -> str:
        # What a form in Shanghai, where the job's days are, sends for a day.
        date = f"{day}T00:00:00+08:00" if day and len(day) == len("2024-02-28") else day
        asked = {"logical_date": date, "conf": conf}
        for _ in range(20):
            try:
                return str(api.post("/dags/ads_daily/dagRuns", asked, retry=False)["dag_run_id"])
            except ApiError as error:
                if error.status < 500:  # else SQLite is busy
                    raise
                time.sleep(1)
        raise AssertionError("SQLite has been busy for 20 s")

    def ended(run: str) -> dict[str, Any]:
        found: dict[str, Any] = api.get(f"/dags/ads_daily/dagRuns/{quote(run, safe='')}")
        return found

    with pytest.raises(ApiError) as refused:
        trigger("2024-02-28", epochs=0)
    assert refused.value.status == 400
    assert "0 is less than the minimum of 1" in str(refused.value)
    no_day = "for the 2024-02-28 give 2024-02-28T00:00:00"
    for day, told in (
        (None, "A run without a logical date has no day"),
        ("2124-01-01", "2124-01-01 is in the future"),
        ("2024-02-28T12:00:00Z", no_day),
    ):
        with pytest.raises(ApiError, match=told) as refused:
            trigger(day)
        assert refused.value.status == 400
    with pytest.raises(ApiError, match=r"conf: 'epoch' \(is 'epochs' meant\?\) is none of experiments, ") as refused:
        trigger("2024-02-28", epoch=2)
    assert refused.value.status == 400
    run = trigger("2024-02-28", dry_run=True)
    wait_for("the run by hand", lambda: ended(run)["state"] in ("success", "failed"))
    assert ended(run)["state"] == "success"
    assert ended(run)["logical_date"] == "2024-02-28T00:00:00Z"
    asked = "run --job ads --day 2024-02-28 --dry-run --experiment first --experiment second"
    assert asked in (folder / "run").read_text(encoding="utf-8")
    assert "2024-02-28" not in (folder / "calls.ads").read_text(encoding="utf-8")
    states = {task["task_id"]: task["state"] for task in api.tasks("ads_daily", run)}
    assert {states[name] for name in ("extract", "train_first", *CLOSING, "report")} == {"skipped"}
    with pytest.raises(ApiError, match=r"2024-02-28 has a run already. To go on with it, clear") as refused:
        trigger("2024-02-28", dry_run=True)
    assert refused.value.status == 409


def test_a_range_by_the_midnights_of_the_jobs_zone_holds_its_days(
    scheduler: tuple[Deployment, Path], outcome: dict[str, Any]
) -> None:
    deployment, _ = scheduler
    asked = {"dag_id": DAYS.dag, "reprocess_behavior": "completed", "from_date": "2024-03-04T00:00:00+08:00"}
    api = Api(deployment)
    for end in ("2024-03-07T00:00:00+08:00", "2024-03-07T00:00:00Z"):
        found = api.post("/backfills/dry_run", {**asked, "to_date": end})["backfills"]
        assert [each["logical_date"] for each in found] == [f"{day}T00:00:00Z" for day in DAYS.days]
    with pytest.raises(ApiError, match=r"to_date: .* for the 2024-03-07 give 2024-03-07T00:00:00") as refused:
        api.post("/backfills/dry_run", {**asked, "to_date": "2024-03-07T10:00:00Z"})
    assert refused.value.status == 400


def test_a_stage_is_told_of_its_task_and_of_the_scheduler(scheduler: tuple[Deployment, Path], outcome: Any) -> None:
    deployment, folder = scheduler
    pids = (folder / "workers").read_text(encoding="utf-8").strip().split(",")
    assert len(pids) >= 3
    assert pids[-1] == (deployment.logs / "scheduler.pid").read_text(encoding="utf-8").split()[0]


def test_secrets_are_private(scheduler: tuple[Deployment, Path]) -> None:
    deployment, _ = scheduler
    for name in ("secrets.json", "passwords.json", "deployment.json"):
        assert stat.S_IMODE((deployment.home / name).stat().st_mode) == 0o600
    assert deployment.password not in json.dumps(deployment.settings)


def test_down_leaves_no_process(scheduler: tuple[Deployment, Path], outcome: dict[str, Any]) -> None:
    deployment, _ = scheduler
    assert len(alive(deployment.mark, deployment.logs)) >= 4
    airflow.down_one(deployment)
    assert alive(deployment.mark, deployment.logs) == []
    assert Api(deployment).health() == {}
