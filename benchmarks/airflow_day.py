"""The fixed cost of a day through Airflow's scheduler, and where its time goes.

    python -m benchmarks.airflow_day [--experiments 2 3] [--days 7] [--impressions 100] [--keep FOLDER]

Runs days of `ads` at the production schema, 100 generated impressions each, one after the other through an embedded
Airflow of its own: each run is created when the one before has ended. Prints, for each number of experiments, the
median seconds of a trained day (the first left out: it tests nothing) and of a skipped one, from the run's start to
its end, beside their targets, the same day in a warm process of the command line, and a table of the tasks: seconds
waited since the task before it ended, and seconds from its start to its end.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from ops import airflow
from ops.rest import Api
from pipeline.days import Day

PROJECT = Path(__file__).resolve().parents[1]
FIRST = Day.of(2024, 3, 4)
DAG = "ads_daily"
TARGETS = {(2, "trained"): 30.0, (2, "skipped"): 9.0}
"""Seconds of a day, by the number of experiments and by what becomes of it."""


def write_conf(folder: Path, experiments: int) -> Path:
    """The production job with so many experiments, which the gate of a day of 100 rows does not hold up."""
    folder.mkdir(parents=True)
    for job in ("ads", "homework"):
        settings = yaml.safe_load((PROJECT / "conf" / f"{job}.yaml").read_text(encoding="utf-8"))
        if job == "ads":
            known = list(settings["experiments"].items())
            more = [(f"{name}_{n}", dict(content)) for n in range(2, experiments + 1) for name, content in known]
            settings["experiments"] = dict([*known, *more][:experiments])
            settings["release"] |= {"gate": {"calibration": [0, 1e6]}, "score_spread_min": 0, "unknown_share_max": 1}
        (folder / f"{job}.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return folder


def run_day(api: Api, day: Day, patience: float = 900) -> dict[str, Any]:
    """One run from its creation to its end; its tasks under ``tasks``."""
    made = api.post(f"/dags/{DAG}/dagRuns", {"logical_date": f"{day}T00:00:00Z"})
    deadline = time.monotonic() + patience
    while True:
        run = next(each for each in api.runs(DAG) if each["dag_run_id"] == made["dag_run_id"])
        if run["state"] in ("success", "failed"):
            break
        if time.monotonic() > deadline:
            raise SystemExit(f"{day} has not ended after {patience:.0f} s: {run['state']}")
        time.sleep(1)
    tasks = api.tasks(DAG, run["dag_run_id"])
    if run["state"] == "failed":
        red = [task["task_id"] for task in tasks if task["state"] == "failed"]
        raise SystemExit(f"{day} failed in {', '.join(red)}")
    return {**run, "tasks": tasks}


def seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def duration(run: dict[str, Any]) -> float:
    return seconds(run["start_date"], run["end_date"])


def timed(run: dict[str, Any]) -> list[tuple[str, float, float]]:
    """Task, seconds waited, seconds run; in order of their starts. Tasks that cost no process are left out."""
    found = []
    tasks = [task for task in run["tasks"] if task["start_date"] and task["end_date"]]
    ends = [task["end_date"] for task in tasks]
    for task in sorted(tasks, key=lambda task: str(task["start_date"])):
        took = seconds(task["start_date"], task["end_date"])
        before = max([run["start_date"], *(end for end in ends if end <= task["start_date"])])
        if took > 0:
            found.append((task["task_id"], max(seconds(before, task["start_date"]), 0.0), took))
    return found


def show(experiments: int, day: str, runs: Sequence[dict[str, Any]]) -> None:
    waited: dict[str, list[float]] = defaultdict(list)
    ran: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        for task, wait, took in timed(run):
            waited[task].append(wait)
            ran[task].append(took)
    median, target = statistics.median(map(duration, runs)), TARGETS.get((experiments, day))
    aim = "" if target is None else f", target ≤ {target:.0f}{'' if median <= target else ' MISSED'}"
    print(f"\n{experiments} experiments, a {day} day: median {median:.1f} s of {len(runs)}{aim} "
          f"({', '.join(f'{duration(run):.1f}' for run in runs)}); load {os.getloadavg()[0]:.1f}")  # fmt: skip
    print(f"  {'task':20} {'waited s':>9} {'ran s':>7}")
    for task in ran:
        print(f"  {task:20} {statistics.median(waited[task]):9.1f} {statistics.median(ran[task]):7.1f}")
    total = [sum(statistics.median(each[task]) for task in ran) for each in (waited, ran)]
    print(f"  {'together':20} {total[0]:9.1f} {total[1]:7.1f}")


def measure(folder: Path, experiments: int, days: int, sources: dict[str, str]) -> None:
    place = folder / f"with-{experiments}"
    last = FIRST.plus(days - 1)
    settings = {
        **sources, "DAYSPRING_ROOT": str(place / "root"), "DAYSPRING_RELEASE_URL": f"file:{place / 'bucket'}",
        "DAYSPRING_CONF": str(write_conf(place / "conf", experiments)), "DAYSPRING_SCHEDULE_END": str(last.next()),
    }  # fmt: skip
    deployment = airflow.up(f"bench-{experiments}", settings)
    try:
        api = Api(deployment)
        deadline = time.monotonic() + 120
        while DAG not in {dag["dag_id"] for dag in api.get("/dags", limit=100)["dags"]}:
            if time.monotonic() > deadline:
                raise SystemExit(f"Airflow has not found {DAG}")
            time.sleep(1)
        # The schedule starts its newest day by itself: that one is said to be done.
        own = api.post(f"/dags/{DAG}/dagRuns", {"logical_date": f"{last.next()}T00:00:00Z"})
        api.patch(f"/dags/{DAG}/dagRuns/{own['dag_run_id']}", {"state": "success"})
        api.patch(f"/dags/{DAG}", {"is_paused": False})
        runs = [run_day(api, day) for day in FIRST.through(last)]
    finally:
        airflow.down_one(deployment)
    skipped = [run for run in runs if all(
        task["state"] == "skipped" for task in run["tasks"] if task["task_id"].startswith("train_"))]  # fmt: skip
    show(experiments, "trained", [run for run in runs[1:] if run not in skipped])
    show(experiments, "skipped", skipped)
    warm = warm_day(place, settings, last)
    print(f"\n  the same in one warm process of the command line: {warm:.1f} s a trained day")


def warm_day(place: Path, settings: dict[str, str], last: Day) -> float:
    """Median seconds of a trained day in one process, by what the command itself tells."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "backfill", "--job", "ads", "--from", str(FIRST), "--to", str(last),
         "--publish", "each"],
        cwd=PROJECT, env={
            **os.environ, **settings, "DAYSPRING_ROOT": str(place / "warm"),
            "DAYSPRING_RELEASE_URL": f"file:{place / 'warm-bucket'}",
        },
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = [float(found[1]) for line in done.stderr.splitlines()
            if "trained" in line and (found := re.search(r"\(([\d.]+) s\)$", line))]  # fmt: skip
    from pipeline.storage.redis import embedded

    embedded.stop(place / "warm")
    return statistics.median(told[1:])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, nargs="+", default=[2, 3])
    parser.add_argument("--days", type=int, default=7, help="the third is one without data")
    parser.add_argument("--impressions", type=int, default=100)
    parser.add_argument("--keep", type=Path, help="leave everything in this folder")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="dayspring-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["DAYSPRING_AIRFLOW_HOME"] = str(folder / "airflow")
    sources = {
        "DAYSPRING_ADS_URL": f"parquet:{folder / 'ads'}",
        "DAYSPRING_HOMEWORK_URL": f"sqlite:///{folder / 'homework.db'}",
    }
    subprocess.run(
        [sys.executable, "-m", "examples.school", "--target", sources["DAYSPRING_ADS_URL"], "--from", str(FIRST),
         "--days", str(options.days), "--outage", str(FIRST.plus(2)), "--users", "200", "--ads", "50",
         "--impressions-per-day", str(options.impressions), "--seed", "1"],
        cwd=PROJECT, check=True, capture_output=True,
    )  # fmt: skip
    try:
        for experiments in options.experiments:
            measure(folder, experiments, options.days, sources)
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
