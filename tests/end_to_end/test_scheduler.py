"""Both jobs, three days of a small generated school with an outage among them, through Airflow's own scheduler."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops import airflow
from ops.backfill import Range, backfill
from ops.deployment import Deployment
from ops.processes import alive
from ops.rest import Api
from tests.scheduled import SLOW_LOOPS, asset_events
from tests.tiny import whole

PROJECT = Path(__file__).resolve().parents[2]
CONF = PROJECT / "conf" / "quality"
"""With outcomes, counters over bags, vectors that are fitted, weights of rows, and blends."""
FIRST, OUTAGE, LAST = "2024-03-04", "2024-03-05", "2024-03-06"
RANGES = [Range(job, date(2024, 3, 4), date(2024, 3, 6)) for job in ("homework", "ads")]
SCHOOL = [
    "--from", FIRST, "--days", "3", "--outage", OUTAGE, "--teachers", "60", "--users", "150", "--ads", "60",
    "--impressions-per-day", "400", "--seed", "3",
]  # fmt: skip
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class School:
    """The finished runs, and the commands that look at them."""

    def __init__(self, deployment: Deployment, settings: dict[str, str]) -> None:
        self.deployment = deployment
        self.settings = settings
        self.api = Api(deployment)

    def backfill(self) -> int:
        return backfill(
            self.api, RANGES, self.deployment.home / "logs", scheduler=airflow.scheduler_of(self.deployment)
        )

    def pipeline(self, *arguments: str, **settings: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *arguments],
            cwd=PROJECT, env=os.environ | self.settings | settings, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def states(self, job: str) -> dict[str, dict[str, str]]:
        """Task states by day, the run's own under ``run``."""
        return {
            run["logical_date"][:10]: {
                "run": run["state"],
                **{task["task_id"]: task["state"] for task in self.api.tasks(f"{job}_daily", run["dag_run_id"])},
            }
            for run in self.api.runs(f"{job}_daily")
        }


def write_conf(folder: Path) -> Path:
    """The production jobs with a gate that lets anything pass: a model of one tiny day is rightly blocked by theirs."""
    folder.mkdir()
    for name in ("homework", "ads"):
        job = whole(CONF / f"{name}.yaml")
        gate = {"calibration": [0, 1000]} if name == "ads" else {}
        job["release"] |= {"gate": gate, "score_spread_min": 0, "unknown_share_max": 1}
        if name == "homework":
            job["features"]["suits"]["collaborative"]["every"] = 1  # fitted on the first of the days already
        else:
            job["experiments"]["din"]["pairwise"] = 0.5
        for experiment in job["experiments"].values():
            if experiment["model"] != "blend":
                experiment["compile"] = "graph"  # of days as small as these XLA takes longer to compile than to train
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(job), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def school() -> Iterator[School]:
    # Not pytest's folder: the path of a Unix socket under it would be too long on some machines.
    folder = Path(tempfile.mkdtemp(prefix="dayspring-"))
    settings = SLOW_LOOPS | {
        "DAYSPRING_ROOT": str(folder / "root"),
        "DAYSPRING_CONF": str(write_conf(folder / "conf")),
        "DAYSPRING_HOMEWORK_URL": f"sqlite:///{folder / 'homework.db'}",
        "DAYSPRING_ADS_URL": f"parquet:{folder / 'ads'}",
        "DAYSPRING_RELEASE_URL": f"file:{folder / 'bucket'}",
        "DAYSPRING_SCHEDULE_END": LAST,
    }
    targets = ["--target", settings["DAYSPRING_HOMEWORK_URL"], "--target", settings["DAYSPRING_ADS_URL"]]
    subprocess.run(
        [sys.executable, "-m", "examples.school", *targets, *SCHOOL], cwd=PROJECT, check=True, capture_output=True
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYSPRING_AIRFLOW_HOME", str(folder / "airflow"))
        deployment = airflow.up("test", settings)
        try:
            school = School(deployment, settings)
            assert school.backfill() == 6
            yield school
        finally:
            airflow.down_one(deployment)
            assert alive(deployment.mark, deployment.logs) == []
    shutil.rmtree(folder)


@pytest.fixture(params=["homework", "ads"])
def job(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def experiments(job: str) -> list[str]:
    return list(whole(CONF / f"{job}.yaml")["experiments"])


def test_every_run_is_green(school: School, job: str) -> None:
    assert {day: states["run"] for day, states in school.states(job).items()} == {
        FIRST: "success", OUTAGE: "success", LAST: "success",
    }  # fmt: skip


def test_days_with_data_ran_every_task(school: School, job: str) -> None:
    for day in (FIRST, LAST):
        states = school.states(job)[day]
        assert states.pop("fail_run") == "skipped"
        assert set(states.values()) == {"success"}


def test_the_outage_is_skipped_inside_the_training_tasks(school: School, job: str) -> None:
    states = school.states(job)[OUTAGE]
    assert {states[f"train_{name}"] for name in experiments(job)} == {"skipped"}
    assert {states[name] for name in ("check", "release", "publish", "prune")} == {"skipped"}
    assert states["report"] == "success"


def test_the_last_day_tests_the_first_days_models(school: School, job: str) -> None:
    rows = list(csv.DictReader(io.StringIO(school.pipeline("measures", "--job", job))))
    tested = {(row["day"], row["experiment"]): row for row in rows if row["checkpoint"]}
    assert set(tested) == {(LAST, name) for name in experiments(job)}
    for row in tested.values():
        assert FIRST in row["checkpoint"]
        assert int(row["rows"]) > 0
        assert float(row["log_loss"]) > 0


def test_asset_events_carry_the_measures(school: School, job: str) -> None:
    mine = {
        event["extra"]["day"]: event["extra"]
        for event in asset_events(school.api)
        if event["source_dag_id"] == f"{job}_daily"
    }
    assert set(mine) == {FIRST, OUTAGE, LAST}
    assert {row["experiment"] for row in mine[LAST]["measures"]} == set(experiments(job))


def test_a_second_backfill_trains_nothing(school: School) -> None:
    assert school.backfill() == 0


def test_the_command_line_ends_with_the_same_bits(school: School, job: str) -> None:
    """The days in one process, of a root of their own, against a process a task."""
    root, other = school.settings["DAYSPRING_ROOT"], f"{school.settings['DAYSPRING_ROOT']}-by-hand"
    days = ["--from", FIRST, "--to", LAST]
    school.pipeline("backfill", "--job", job, *days, "--publish", "none", DAYSPRING_ROOT=other)
    told = school.pipeline("compare-chains", root, other, "--job", job)
    count = len(experiments(job))
    assert told.startswith(f"equal: {2 * count} trained days of {count} experiments"), told


def test_a_recommendation_is_read_back(school: School, job: str) -> None:
    owner = ["--user", a_user(school)] if job == "ads" else a_class(school)
    answer: dict[str, Any] = json.loads(school.pipeline("recommend", "--job", job, *owner, "--json"))
    assert len(answer["top"]) == 5
    assert LAST in answer["release_id"]


def a_user(school: School) -> str:
    import pyarrow.dataset as datasets

    folder = school.settings["DAYSPRING_ADS_URL"].removeprefix("parquet:")
    users = datasets.dataset(f"{folder}/midas_online_context").to_table(columns=["user_id"])["user_id"].drop_null()
    return str(max(users.value_counts().to_pylist(), key=lambda count: count["counts"])["values"])


def a_class(school: School) -> list[str]:
    with sqlite3.connect(school.settings["DAYSPRING_HOMEWORK_URL"].removeprefix("sqlite:///")) as database:
        teacher, class_ = database.execute(
            "SELECT teacher_id, class_id FROM daily_homework_info WHERE day IN (?, ?) "
            "GROUP BY teacher_id, class_id ORDER BY COUNT(*) DESC, teacher_id, class_id LIMIT 1",
            (FIRST, LAST),
        ).fetchone()
    return ["--teacher", str(teacher), "--class", str(class_)]


def test_the_chain_is_known_without_airflow(school: School, job: str) -> None:
    text = school.pipeline("status", "--job", job)
    for day in (FIRST, OUTAGE, LAST):
        assert day in text
    assert "skipped" in text
