"""The DAG under a real scheduler, with a stand-in for the pipeline's commands that ends as each day is told to."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops import airflow
from ops.backfill import BackfillFailed, Range, backfill
from ops.deployment import Deployment
from ops.processes import alive
from ops.rest import Api

PROJECT = Path(__file__).resolve().parents[2]
# Day 2 is skipped, day 3's `first` fails for good (exit 2) until it is repaired; everything else goes well.
STAND_IN = """#!/bin/bash
[ "$1" = -u ] && shift
case "$3" in measures) echo '[]'; exit 0;; esac
[ "$3" = stage ] || exit 3
echo "$4 $8 ${10}" >> "$(dirname "$0")/calls"
case "$4 $8 ${10}" in
"experiment 2024-03-05 "*) exit 99;;
"experiment 2024-03-06 first") [ -e "$(dirname "$0")/repaired" ] || exit 2;;
esac
exit 0
"""
DAYS = Range("ads", date(2024, 3, 4), date(2024, 3, 7))
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
        settings["dirty_days"] = DAYS.days
        (conf / f"{job}.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    stand_in = folder / "python"
    stand_in.write_text(STAND_IN, encoding="utf-8")
    stand_in.chmod(stand_in.stat().st_mode | stat.S_IXUSR)
    environment = {
        "DAYSPRING_CONF": str(conf),
        "DAYSPRING_PYTHON": str(stand_in),
        "DAYSPRING_ROOT": str(folder / "root"),
        "DAYSPRING_SCHEDULE_END": "2024-03-07",
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
    api = Api(deployment)
    with pytest.raises(BackfillFailed) as failure:
        backfill(api, [DAYS], deployment.home / "logs", patience=20)
    broken = states(api)
    (folder / "repaired").touch()
    run = next(run for run in api.runs("ads_daily") if run["logical_date"][:10] == "2024-03-06")
    api.post(
        "/dags/ads_daily/clearTaskInstances",
        {"dry_run": False, "dag_run_id": run["dag_run_id"], "only_failed": True, "reset_dag_runs": True},
    )
    again = backfill(api, [DAYS], deployment.home / "logs", patience=60)
    calls = (folder / "calls").read_text(encoding="utf-8").splitlines()
    return {
        "message": str(failure.value), "broken": broken, "again": again, "repaired": states(api), "calls": calls,
        "events": api.get("/assets/events", limit=100)["asset_events"],
        "once_more": backfill(api, [DAYS], deployment.home / "logs"),
    }  # fmt: skip


def states(api: Api) -> dict[str, dict[str, str | None]]:
    """Task states by day, the run's own under ``run``."""
    return {
        run["logical_date"][:10]: {
            "run": run["state"],
            **{task["task_id"]: task["state"] for task in api.tasks("ads_daily", run["dag_run_id"])},
        }
        for run in api.runs("ads_daily")
    }


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
    assert days == set(outcome["repaired"])


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
