"""A night of three small jobs under Airflow's own scheduler, in zones whose day ends while the test looks on."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import TZPATH

import pytest

from ops import airflow
from ops.processes import alive
from ops.rest import Api, ApiError
from pipeline.days import Day
from pipeline.monitoring.alerts.sent import SentAlerts
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.store import ArtifactStore
from tests import tiny
from tests.scheduled import wait_for

PROJECT = Path(__file__).resolve().parents[2]
# The marker of `homework` comes in the night and that of `ads` never; `early`, ads of another name, has it in time.
JOBS = ("homework", "ads", "early")
PLAIN, CHANGE = "Night/Plain", "Night/Change"
ZONES = {"homework": PLAIN, "ads": CHANGE, "early": CHANGE}
# For which all is ready before the day ends.
AHEAD = timedelta(seconds=30)
DEADLINE_HOURS = 0.015
DAGS = """# Airflow looks only into files that have its name.
import pendulum
from dayspring.daily_dag import daily_dag

dag = daily_dag("{job}", "")
# Without it the schedule would begin with the day before, of which there is nothing.
for each in (dag, *dag.tasks):
    each.start_date = pendulum.datetime({year}, {month}, {day}, tz="UTC")
dag.task_dict["wait_for_day"].poll_seconds = 2
"""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass
class Night:
    """The runs of a night, once they have ended.

    Attributes:
        day: the one that ended at ``end``.
        marked: when the marker of `homework` came.
        before: states of the tasks of `homework` just before that.
        due: by when Airflow was to call a release late, by job.
    """

    api: Api
    folder: Path
    day: Day
    end: datetime
    marked: datetime
    before: dict[str, str | None]
    due: dict[str, datetime]

    def run(self, job: str) -> dict[str, Any]:
        (found,) = self.api.runs(f"{job}_daily")
        return found

    def tasks(self, job: str) -> dict[str, dict[str, Any]]:
        return {task["task_id"]: task for task in self.api.tasks(f"{job}_daily", self.run(job)["dag_run_id"])}

    def alerts(self, job: str) -> list[tuple[str, str]]:
        return [(each["kind"], each["text"]) for each in SentAlerts(self.folder / "root", job).read()]


@pytest.fixture(scope="module")
def night() -> Iterator[Night]:
    # Not pytest's folder: the path of a Unix socket under it would be too long on some machines.
    folder = Path(tempfile.mkdtemp(prefix="dayspring-"))
    for name in ("dags", "conf", "zones"):
        (folder / name).mkdir()
    environment = {
        "DAYSPRING_ROOT": str(folder / "root"),
        "DAYSPRING_CONF": str(folder / "conf"),
        "DAYSPRING_HOMEWORK_URL": f"sqlite:///{folder / 'homework.db'}",
        "DAYSPRING_ADS_URL": f"parquet:{folder / 'ads'}",
        "DAYSPRING_EARLY_URL": f"parquet:{folder / 'early'}",
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
        # Files are then looked for at once: the night begins soon.
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "2",
        "PYTHONTZPATH": os.pathsep.join([str(folder / "zones"), *TZPATH]),
    }
    # The midnight in UTC that is nearest ends it, so that the zones are none that could not be.
    day = Day.of_instant(datetime.now(UTC) + timedelta(hours=12), "UTC").previous()
    write_sources(folder, day)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYSPRING_AIRFLOW_HOME", str(folder / "airflow"))
        deployment = airflow.up("night", environment)
        try:
            yield pass_a_night(Api(deployment), folder, day)
        finally:
            airflow.down_one(deployment)
            assert alive(deployment.mark, deployment.logs) == []
    shutil.rmtree(folder)


def pass_a_night(api: Api, folder: Path, day: Day) -> Night:
    """Everything about the zones comes once Airflow is there: no process looks at one twice."""
    end = datetime.now(UTC).replace(microsecond=0) + AHEAD
    write_zones(folder, day, end)
    for job in JOBS:
        write_job(folder, job, day)
    for job in JOBS:
        wait_for(f"the DAG of {job}", lambda job=job: unpaused(api, f"{job}_daily"), 120)
    # Airflow forgets a deadline that was met.
    wait_for("the runs", lambda: len(deadlines(folder)) == len(JOBS))
    due = deadlines(folder)
    wait_for("homework to wait", lambda: state_of(api, "homework").get("wait_for_day") == "deferred")
    before, marked = state_of(api, "homework"), datetime.now(UTC)
    mark_homework(folder)
    wait_for("the end of all runs", lambda: all(ended(api, job) for job in JOBS), 600)
    return Night(api, folder, day, end, marked, before, due)


def write_zones(folder: Path, day: Day, end: datetime) -> None:
    """Two zones in which a day ends at ``end``; in one of them the clocks are then set from 00:00 to 01:00."""
    seconds = int((day.next().label - end).total_seconds())

    def offset(of: int) -> str:
        hours, rest = divmod(abs(of), 3600)
        return f"{'-' if of < 0 else ''}{hours}:{rest // 60:02}:{rest % 60:02}"

    source = folder / "zones.txt"
    source.write_text(
        f"Zone {PLAIN} {offset(seconds)} - PLAIN\n"
        f"Zone {CHANGE} {offset(seconds)} - BEFORE {end:%Y %b %-d %H:%M:%S}u\n"
        f"            {offset(seconds + 3600)} - AFTER\n",
        encoding="utf-8",
    )
    zic = shutil.which("zic", path=f"{os.environ['PATH']}:/usr/sbin")
    assert zic is not None, "zic, of the C library's programs, makes the zones"
    subprocess.run([zic, "-d", str(folder / "zones"), str(source)], check=True)


def write_sources(folder: Path, day: Day) -> None:
    arguments = [
        "--from", str(day), "--days", "1", "--teachers", "30", "--last-year-classes", "1", "--users", "60",
        "--ads", "30", "--impressions-per-day", "200", "--click-rate", "0.2", "--seed", "7",
        "--target", f"sqlite:///{folder / 'homework.db'}", "--target", f"parquet:{folder / 'ads'}",
    ]  # fmt: skip
    subprocess.run([sys.executable, "-m", "examples.school", *arguments], cwd=PROJECT, check=True, capture_output=True)
    shutil.copytree(folder / "ads", folder / "early")
    for marker in (folder / "ads" / tiny.CONTEXT).rglob("_SUCCESS"):
        marker.unlink()
    with sqlite3.connect(folder / "homework.db") as database:
        database.execute("CREATE TABLE kept AS SELECT * FROM day_ready")
        database.execute("DELETE FROM day_ready")


def mark_homework(folder: Path) -> None:
    with sqlite3.connect(folder / "homework.db") as database:
        database.execute("INSERT INTO day_ready SELECT * FROM kept")


def write_job(folder: Path, job: str, day: Day) -> None:
    """Small, of one experiment, releasing at once what it has trained, whatever that is like."""
    import yaml

    settings = tiny.settings("ads" if job == "early" else job)
    # A model that has learnt next to nothing tells no candidates apart, and is rightly blocked.
    pooled = settings["experiments"]["pooled"] | {"epochs": 4, "learning_rate": 0.01, "batch": 32}
    settings |= {"job": job, "timezone": ZONES[job], "experiments": {"pooled": pooled}}
    settings["release"] |= {
        "mode": "immediate", "champion": "pooled", "score_spread_min": 0, "unknown_share_max": 1, "by": "04:00",
    }  # fmt: skip
    settings["deadline_hours"] = DEADLINE_HOURS if job == "ads" else 3
    (folder / "conf" / f"{job}.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    date = day.date
    text = DAGS.format(job=job, year=date.year, month=date.month, day=date.day)
    (folder / "dags" / f"{job}_daily.py").write_text(text, encoding="utf-8")


def deadlines(folder: Path) -> dict[str, datetime]:
    """By job, as Airflow keeps them."""
    with sqlite3.connect(f"file:{folder}/airflow/night/airflow.db?mode=ro", uri=True) as database:
        found = database.execute(
            "SELECT dag_id, deadline_time FROM deadline JOIN dag_run ON dag_run.id = dagrun_id"
        ).fetchall()
    return {dag.removesuffix("_daily"): datetime.fromisoformat(due).replace(tzinfo=UTC) for dag, due in found}


def unpaused(api: Api, dag: str) -> bool:
    try:
        api.patch(f"/dags/{dag}", {"is_paused": False})
    except ApiError as error:
        if error.status == 404:  # it has not been parsed yet
            return False
        raise
    return True


def state_of(api: Api, job: str) -> dict[str, str | None]:
    """Task states of the job's run; empty where it has none."""
    return {
        task["task_id"]: task["state"]
        for run in api.runs(f"{job}_daily")
        for task in api.tasks(f"{job}_daily", run["dag_run_id"])
    }


def ended(api: Api, job: str) -> bool:
    return any(run["state"] in ("success", "failed") for run in api.runs(f"{job}_daily"))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("job", JOBS)
def test_a_run_starts_at_the_end_of_the_day_in_the_jobs_zone(night: Night, job: str) -> None:
    run = night.run(job)
    assert (run["run_type"], run["state"]) == ("scheduled", "success")
    assert instant(run["logical_date"]) == instant(run["data_interval_start"]) == night.day.label
    assert instant(run["run_after"]) == instant(run["data_interval_end"]) == night.end
    assert instant(run["start_date"]) >= night.end


@pytest.mark.parametrize("job", JOBS)
def test_every_task_went_well_for_that_day(night: Night, job: str) -> None:
    states = {name: task["state"] for name, task in night.tasks(job).items()}
    assert states.pop("fail_run") == "skipped"
    assert set(states.values()) == {"success"}
    assert ArtifactStore(night.folder / "root").days("checkpoint", job, "pooled") == [night.day]


def test_it_waits_for_the_marker_and_starts_at_it(night: Night) -> None:
    assert night.before["wait_for_day"] == "deferred"
    assert {state for name, state in night.before.items() if name != "wait_for_day"} == {None}
    # Three hours before its deadline.
    assert instant(night.tasks("homework")["extract"]["start_date"]) > night.marked
    assert night.alerts("homework") == []


def test_without_a_marker_the_day_is_taken_at_the_deadline_and_that_is_told(night: Night) -> None:
    deadline = night.end + timedelta(hours=DEADLINE_HOURS)
    assert instant(night.tasks("ads")["extract"]["start_date"]) > deadline
    ((kind, text),) = night.alerts("ads")
    assert kind == "late_day"
    assert text.startswith("taken at its deadline without impressions: not marked as complete")


def test_a_marker_in_time_is_not_waited_for(night: Night) -> None:
    assert instant(night.tasks("early")["wait_for_day"]["end_date"]) > night.end
    assert night.alerts("early") == []


@pytest.mark.parametrize(("job", "hours"), [("homework", 4), ("ads", 3), ("early", 3)])
def test_it_is_released_before_four_by_the_clocks_of_the_zone(night: Night, job: str, hours: int) -> None:
    # Where the clocks were set from 00:00 to 01:00, 04:00 comes three hours after the end of the day.
    due = night.end + timedelta(hours=hours)
    assert night.due[job] == due
    published = ArtifactStore(night.folder / "root").current(Ref("publish", job, night.day))
    assert published is not None
    assert published.manifest.extra["release_id"].startswith(str(night.day))
    assert instant(night.tasks(job)["publish"]["end_date"]) < due
