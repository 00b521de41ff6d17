"""``make demo``: both jobs, some days, through Airflow's scheduler, ending with a recommendation of each."""

from __future__ import annotations

import argparse
import csv
import io
import os
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ops import airflow
from ops.backfill import BackfillFailed, backfill, missing
from ops.deployment import PROJECT, USER, Deployment, remember
from ops.rest import Api, ApiError
from ops.samples import WHERE_TO_GET, Sample, real, school
from ops.services.stack import Stack
from pipeline.commands import shown
from pipeline.errors import DayspringError
from pipeline.storage.artifacts.kinds import VALIDATED


def demo(sample: Sample) -> int:
    """Runs the demo on a data set; returns the exit code."""
    sample.fill()
    if sample.stack is not None and not (sample.root / "releases").is_dir():
        forget_releases(sample)
    deployment = airflow.up(sample.name, sample.settings)
    remember(sample.settings)
    api = Api(deployment)
    days = sum(len(wanted.days) for wanted in sample.ranges)
    left = sum(len(missing(api, wanted)) for wanted in sample.ranges)
    if left:
        print(f"backfill: {left} of {days} days through the scheduler; a line for each day when it ends", flush=True)
    failed = ""
    try:
        backfill(api, sample.ranges, deployment.home / "logs", scheduler=airflow.scheduler_of(deployment))
    except BackfillFailed as error:
        failed = str(error)
    except ApiError as error:
        raise SystemExit(f"error: Airflow stopped answering ({error}); run the same command again to go on") from None
    if not left:
        print(f"backfill: all {days} days were trained before; nothing to train")
    if not failed:
        for wanted in sample.ranges:
            _show_measures(sample, wanted.job)
        _recommend(sample)
    _say_where(sample, deployment)
    if failed:
        print(f"\nerror: {failed}", file=sys.stderr)
    return 1 if failed else 0


def forget_releases(sample: Sample) -> None:
    """Takes out of the servers what a root of this name that was removed since left there."""
    done = subprocess.run(
        [sys.executable, "-m", "ops.forget_releases"], cwd=PROJECT, env=os.environ | sample.settings,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise SystemExit(f"error: what an earlier demo published cannot be taken away: {done.stderr.strip()[-600:]}")


def pipeline(sample: Sample, *arguments: str) -> str:
    """Standard output of a pipeline command on the sample; raises ``SystemExit`` with its message if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=PROJECT,
        env=os.environ | sample.settings | {"TF_CPP_MIN_LOG_LEVEL": "2"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        command = shown(f"python -m pipeline {shlex.join(arguments)}", sample.settings)
        raise SystemExit(f"`{command}` failed with exit code {done.returncode}")
    return done.stdout


def table(text: str) -> str:
    """CSV as aligned columns."""
    rows = list(csv.reader(io.StringIO(text)))
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = ("  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(f"  {line}" for line in lines)


def _show_measures(sample: Sample, job: str) -> None:
    print(f"\n{job}: each day's test of the model trained up to the day before")
    print(table(pipeline(sample, "measures", "--job", job)))


def _recommend(sample: Sample) -> None:
    teacher, class_ = _busiest(sample, "homework", "homework", ["teacher_id", "class_id"])
    (user,) = _busiest(sample, "ads", "impressions", ["user_id"])
    for job, who in (("homework", ["--teacher", teacher, "--class", class_]), ("ads", ["--user", user])):
        command = ["recommend", "--job", job, *who]
        shown_command = shown(f"python -m pipeline {shlex.join(command)}", sample.settings)
        print(f"\n$ {shown_command}", flush=True)
        print(pipeline(sample, *command), end="")


def _busiest(sample: Sample, job: str, table: str, columns: list[str]) -> list[str]:
    """The ids with the most rows on the days that the demo trained on."""
    from pipeline.days import Day
    from pipeline.ingest.day_tables import read_table
    from pipeline.storage.artifacts.artifact import Ref
    from pipeline.storage.artifacts.store import ArtifactStore

    store = ArtifactStore(sample.root)
    counts: Counter[tuple[str, ...]] = Counter()
    for day in next(wanted for wanted in sample.ranges if wanted.job == job).days:
        artifact = store.current(Ref(VALIDATED, job, Day.parse(day)))
        if artifact is not None and artifact.manifest.state != "skipped":
            rows = read_table(artifact, table, columns).drop_null()
            counts.update(tuple(map(str, row.values())) for row in rows.to_pylist())
    busiest: tuple[str, ...] = min(counts, key=lambda ids: (-counts[ids], ids))
    return list(busiest)


def _say_where(sample: Sample, deployment: Deployment) -> None:
    print(f"\nAirflow    {deployment.url}   login {USER} / {deployment.password}")
    print(f"page       {deployment.url}/dayspring/   chains, measures, releases; needs the login")
    for path in _reports(sample.root):
        print(f"report     {path.relative_to(PROJECT)}")
    print(f"artefacts  {sample.root.relative_to(PROJECT)}")
    print(f"then       {shown('python -m pipeline status --job ads', sample.settings)}")
    print("stop       make down")


def _reports(root: Path) -> list[Path]:
    """The newest HTML report of each job."""
    newest: dict[str, Path] = {}
    for path in sorted(root.glob("reports/*/*.html")):
        newest[path.relative_to(root).parts[1]] = path
    return list(newest.values())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.demo", description="Both jobs through Airflow, end to end.")
    parser.add_argument("--data", type=Path, help="folder of the public data sets (default: generate a school)")
    parser.add_argument(
        "--profile", choices=("embedded", "services"), default="embedded",
        help="embedded: files and a Redis of its own; services: the servers that `make services` starts",
    )  # fmt: skip
    parser.add_argument("--only-data", action="store_true", help="write the source tables and stop there")
    parser.add_argument("--full", action="store_true", help="weeks instead of days; needs --data")
    chosen = parser.parse_args(arguments)
    if chosen.full and chosen.data is None:
        parser.error(f"make demo-full needs DATA=FOLDER. {WHERE_TO_GET}")
    try:
        stack = None
        if chosen.profile == "services":
            stack = Stack()
            print("services: starting what does not run yet", flush=True)
            stack.start()
        sample = real(chosen.data, full=chosen.full, stack=stack) if chosen.data else school(stack)
        if chosen.only_data:
            sample.fill()
            remember(sample.settings)
            print("settings   . .dayspring/current.env     (readable by you alone: it holds passwords)")
            return 0
        return demo(sample)
    except DayspringError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
