"""Every preset of `conf/histories/` over one production day, released, and asked.

    python -m benchmarks.presets [--job homework] [--experiments NAME …] [--folder FOLDER]
    python -m benchmarks.presets --job ads --conf examples/conf/histories --day 2022-04-25 --owner 0

A generated school of one day; each experiment of the job trains it (as a graph: nothing is compiled for one day), is
exported and checked, becomes the champion, is published to Redis, and answers a request there by its SavedModel. Prints
a line each; ends with 1 where one of them does not. With ``--day`` it is a day of the tables that
``DAYSPRING_<JOB>_URL`` names, and ``--owner`` (a user; a teacher and a class) asks.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from examples.school.__main__ import main as write_school
from pipeline.cli.main import main as pipeline
from pipeline.config.load import load_job
from pipeline.storage.redis import embedded

PROJECT = Path(__file__).resolve().parents[1]
CONF = PROJECT / "conf" / "histories"
DAY = "2024-03-04"


def settings_of(conf: Path, job: str, champion: str) -> dict[str, Any]:
    """A job's presets with one of them as the champion, released as trained."""
    found: dict[str, Any] = load_job(job, conf).model_dump(mode="json", exclude_unset=True)
    found.pop("grids", None)
    for experiment in found["experiments"].values():
        if experiment["model"] != "popularity":  # which compiles nothing
            experiment["compile"] = "graph"
    found["release"] = {"mode": "immediate", "champion": champion}
    return found


def asks(job: str, owner: list[str]) -> list[str]:
    """Who asks, as arguments of `recommend`."""
    return ["--user", *owner] if job == "ads" else ["--teacher", owner[0], "--class", owner[1]]


def write_tables(folder: Path, job: str) -> list[str]:
    """A generated school of one day, named by the environment; an owner in it."""
    targets = {"ads": f"parquet:{folder / 'tables'}", "homework": f"sqlite:///{folder / 'school.db'}"}
    if not (folder / "school.db").is_file():
        write_school(["--from", DAY, "--days", "1", "--teachers", "200", "--users", "300", "--target", targets["ads"],
                      "--target", targets["homework"]])  # fmt: skip
    os.environ |= {f"DAYSPRING_{each.upper()}_URL": url for each, url in targets.items()}
    if job == "ads":
        return ["1"]
    with sqlite3.connect(folder / "school.db") as school:
        query = "select teacher_id, class_id from daily_homework_info where day = ? and teacher_id > 0 order by 1, 2"
        return [str(each) for each in school.execute(query, (DAY,)).fetchone()]


def run(*arguments: str) -> tuple[int, str]:
    """A command, and what it says."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = pipeline(list(arguments))
    return code, out.getvalue() if code == 0 else errors.getvalue()


def all_of(folder: Path, conf: Path, job: str, experiments: list[str], day: str, owner: list[str]) -> int:
    """Train, release and ask presets of a job; how many failed."""
    os.environ |= {"DAYSPRING_ROOT": str(folder / "root"), "DAYSPRING_CONF": str(folder / "conf")}
    (folder / "conf").mkdir(exist_ok=True)
    failed = 0
    for name in experiments:
        text = yaml.safe_dump(settings_of(conf, job, name), sort_keys=False)
        (folder / "conf" / f"{job}.yaml").write_text(text, encoding="utf-8")
        code, said = run("backfill", "--job", job, "--from", day, "--to", day, "--experiment", name)
        if code == 0:
            code, said = run("recommend", "--job", job, *asks(job, owner), "--top", "1")
        failed += code != 0
        print(f"{name}: {'failed: ' if code else ''}{' '.join(said.split())}", flush=True)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--job", choices=("ads", "homework"), default="homework")
    parser.add_argument("--experiments", nargs="+", metavar="NAME", help="default: all")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="keep the school and its artefacts there")
    parser.add_argument("--conf", type=Path, default=CONF, metavar="FOLDER", help="(default conf/histories)")
    parser.add_argument("--day", metavar="YYYY-MM-DD", help="of the job's own tables, not of a generated school")
    parser.add_argument("--owner", nargs="+", metavar="ID", help="with --day: who asks")
    options = parser.parse_args()
    if bool(options.day) != bool(options.owner):
        parser.error("--day and --owner go together")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            experiments = options.experiments or list(load_job(options.job, options.conf).experiments)
            owner = options.owner if options.day else write_tables(folder, options.job)
            return int(all_of(folder, options.conf, options.job, experiments, options.day or DAY, owner) > 0)
        finally:
            embedded.stop(folder / "root")


if __name__ == "__main__":
    sys.exit(main())
