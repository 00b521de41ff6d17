"""Four days through Airflow: a day fails and is cleared, processes are killed; it ends as if nothing had been."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest

from ops import airflow, processes
from ops.backfill import Range, backfill
from ops.deployment import MARK, Deployment
from ops.processes import alive
from ops.rest import Api
from pipeline.monitoring.alerts.sent import SentAlerts
from tests import tiny
from tests.scheduled import SLOW_LOOPS, held_back, write_dags
from tests.tiny import Place

WEEK = Range("ads", date(2024, 3, 4), date(2024, 3, 7))
SECOND = WEEK.days[1]
SCHOOL = [
    "--from", WEEK.days[0], "--days", str(len(WEEK.days)), "--teachers", "20", "--last-year-classes", "1",
    "--users", "60", "--ads", "30", "--impressions-per-day", "200", "--click-rate", "0.2", "--seed", "7",
]  # fmt: skip
# What the stages run by: the real interpreter, but for one day of one experiment until it is repaired.
INTERPRETER = """#!/bin/bash
case "$*" in *"stage experiment --job ads --day {day} --experiment din"*)
    [ -e "{folder}/repaired" ] || {{ echo "error: the disk of din is gone" >&2; exit 2; }};;
esac
exec "{python}" "$@"
"""
TRAINING_BYTES = 300_000_000
"""A process that has grown to this has loaded TensorFlow and is at work."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@dataclass
class Week:
    """What became of the week, and the commands that look at it."""

    place: Place
    deployment: Deployment
    message: str = ""
    broken: dict[str, dict[str, str | None]] = field(default_factory=dict)
    repaired: dict[str, dict[str, str | None]] = field(default_factory=dict)
    killed: list[str] = field(default_factory=list)
    survivors: list[str] = field(default_factory=list)

    def states(self) -> dict[str, dict[str, str | None]]:
        """Task states by day, the run's own under ``run``."""
        api = Api(self.deployment)
        return {
            run["logical_date"][:10]: {
                "run": run["state"],
                **{task["task_id"]: task["state"] for task in api.tasks(WEEK.dag, run["dag_run_id"])},
            }
            for run in api.runs(WEEK.dag)
        }

    def training(self, seen: set[str]) -> psutil.Process | None:
        """The process that trains now, grown to its work, of a day that is not among ``seen``; its day is added."""
        for process in psutil.process_iter():
            try:
                words = process.cmdline()
                if (
                    "experiment" in words
                    and "--day" in words
                    and (day := words[words.index("--day") + 1]) not in seen
                    and process.memory_info().rss > TRAINING_BYTES
                    and process.environ().get(MARK) == self.deployment.mark
                ):
                    seen.add(day)
                    return process
            except psutil.Error:
                continue
        return None


@pytest.fixture(scope="module")
def week() -> Iterator[Week]:
    # Not pytest's folder: the path of a Unix socket under it would be too long on some machines.
    folder = Path(tempfile.mkdtemp(prefix="dayspring-"))
    place = Place(folder)
    place.configure("ads", tiny.settings("ads"))
    targets = ["--target", f"sqlite:///{place.database}", "--target", f"parquet:{place.ads}"]
    subprocess.run(
        [sys.executable, "-m", "examples.school", *targets, *SCHOOL], cwd=tiny.PROJECT, check=True, capture_output=True
    )
    interpreter = folder / "python"
    interpreter.write_text(INTERPRETER.format(day=SECOND, folder=folder, python=sys.executable), encoding="utf-8")
    interpreter.chmod(interpreter.stat().st_mode | stat.S_IXUSR)
    settings = {name: value for name, value in place.variables().items() if name.startswith("DAYSPRING_")}
    settings |= SLOW_LOOPS | {
        "DAYSPRING_RELEASE_URL": f"file:{folder / 'bucket'}", "DAYSPRING_PYTHON": str(interpreter),
        "DAYSPRING_SCHEDULE_END": WEEK.days[-1], "AIRFLOW__CORE__DAGS_FOLDER": str(write_dags(folder, WEEK.job)),
        # What a dead scheduler has left is looked for as soon as it can be told to be dead.
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYSPRING_AIRFLOW_HOME", str(folder / "airflow"))
        deployment = airflow.up("recovery", settings)
        try:
            found = Week(place, deployment)
            run(found, folder)
            yield found
        finally:
            airflow.down_one(deployment)
            assert alive(deployment.mark, deployment.logs) == []
    shutil.rmtree(folder)


def run(week: Week, folder: Path) -> None:
    """The week through the scheduler: broken, cleared, disturbed, done."""
    api, logs = Api(week.deployment), week.deployment.home / "logs"
    scheduler = airflow.scheduler_of(week.deployment)

    def settled() -> bool:
        states = week.states()
        return states[SECOND]["run"] == "failed" and all(day["train_pooled"] == "success" for day in states.values())

    week.message = held_back(api, [WEEK], logs, scheduler, settled)
    week.broken = week.states()
    (folder / "repaired").touch()
    second = next(run for run in api.runs(WEEK.dag) if run["logical_date"][:10] == SECOND)
    api.post(
        f"/dags/{WEEK.dag}/clearTaskInstances",
        {"dry_run": False, "dag_run_id": second["dag_run_id"], "only_failed": True, "reset_dag_runs": True},
    )
    hand = Thread(target=disturb, args=(week,), daemon=True)
    hand.start()
    backfill(api, [WEEK], logs, patience=180, scheduler=scheduler)
    hand.join(60)
    week.repaired = week.states()


def disturb(week: Week) -> None:
    """Kills, each in the middle of another day: the task's process, the training itself, the scheduler.

    Of one day they would use up its retries.
    """

    def task(training: psutil.Process) -> psutil.Process:
        found = training.parent()
        assert found is not None
        return found

    def scheduler(_: psutil.Process) -> psutil.Process:
        pid = processes.pid_of("scheduler", week.deployment.logs)
        assert pid is not None
        return psutil.Process(pid)

    victims: dict[str, Callable[[psutil.Process], psutil.Process]] = {
        "task": task, "training": lambda training: training, "scheduler": scheduler,
    }  # fmt: skip
    seen: set[str] = set()
    for name, victim in victims.items():
        while (training := week.training(seen)) is None:
            time.sleep(0.05)
        victim(training).kill()
        week.killed.append(name)
        _, left = psutil.wait_procs([training], timeout=30)
        week.survivors += [name for _ in left]


def test_the_days_before_and_the_other_experiment_go_on(week: Week) -> None:
    assert sorted(week.broken) == WEEK.days
    assert [day["train_pooled"] for day in week.broken.values()] == ["success"] * 4
    assert [day["train_din"] for day in week.broken.values()] == ["success", "failed", None, None]
    assert [day["run"] for day in week.broken.values()] == ["success", "failed", "running", "running"]
    assert f"ads {SECOND}: FAILED in train_din" in week.message


def test_cleared_it_ends_green_in_spite_of_what_was_killed(week: Week) -> None:
    assert week.killed == ["task", "training", "scheduler"]
    assert {day: states["run"] for day, states in week.repaired.items()} == dict.fromkeys(WEEK.days, "success")


def test_no_training_outlived_its_task_or_its_scheduler(week: Week) -> None:
    assert week.survivors == []
    left = [" ".join(process.cmdline()) for process in alive(week.deployment.mark, week.deployment.logs)]
    assert [line for line in left if "pipeline stage" in line] == []


def test_the_dead_schedulers_workers_are_gone(week: Week) -> None:
    pid = processes.pid_of("scheduler", week.deployment.logs)
    found = alive(week.deployment.mark, week.deployment.logs)
    orphans = [each for each in found if each.ppid() == 1 and "airflow worker" in " ".join(each.cmdline()).lower()]
    assert pid is not None
    assert orphans == []


def test_each_chain_is_in_order(week: Week) -> None:
    for name in ("pooled", "din"):
        parents = [
            week.place.artifact("checkpoint", day, name).manifest.extra["parent_day"]
            for day in map(tiny.Day.parse, WEEK.days)
        ]
        assert parents == [None, *WEEK.days[:-1]]


def test_the_week_is_bit_equal_to_one_that_nothing_disturbed(week: Week, tmp_path: Path) -> None:
    other = week.place.at(tmp_path / "root")
    other.good("backfill", "--job", "ads", "--from", WEEK.days[0], "--to", WEEK.days[-1], "--publish", "none")
    compared = other.run("compare-chains", week.place.root, other.root, "--job", "ads")
    assert compared.out.startswith("equal: 8 trained days of 2 experiments"), compared.out


def test_each_failure_was_told_once(week: Week) -> None:
    found: list[dict[str, Any]] = SentAlerts(week.place.root, "ads").read()
    failed = [each for each in found if each["kind"] in ("failure", "retries_exhausted")]
    # The champion's failure leaves its day without a release; each of the two is told once, what was killed is not.
    assert sorted((each["day"], each["what"]) for each in failed) == [(SECOND, "release"), (SECOND, "train_din")]
