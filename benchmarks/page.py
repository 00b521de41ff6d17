"""The page of a year of days × 8 experiments: what it costs to read, and to load in a browser.

    python -m benchmarks.page [--days 366] [--experiments 8] [--keep FOLDER]

Writes the manifests of such a job (none has a payload) and reads them as the page does: for the first time ever, in a
new process that finds the index of an earlier one, warm, and warm after one more day. Where Chromium is installed it
loads the page and waits until calendars and curves are drawn. CPU seconds stand beside the clock's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from benchmarks.school_year import JOB, write_year
from ops.browser import browser, lacking
from pipeline.days import Day
from pipeline.storage.artifacts.kinds import CHECKPOINT

PROJECT = Path(__file__).resolve().parents[1]
FIRST = Day.of(2024, 1, 1)


@contextmanager
def timed(what: str) -> Iterator[None]:
    clock, cpu = time.perf_counter(), time.process_time()
    yield
    print(f"{what:<46} {time.perf_counter() - clock:7.2f} s  {time.process_time() - cpu:7.2f} s of CPU", flush=True)


def measure(root: Path) -> None:
    """Reads in this process, which has not looked at ``root`` before."""
    from pipeline.monitoring.overview.picture import Overview

    overview = Overview(root)
    known = (root / "overview" / f"{JOB}.json").is_file()
    with timed("a new process, with the index of an earlier one" if known else "the first look ever"):
        overview.picture(JOB)
    if not known:
        return
    for _ in range(3):
        with timed("warm"):
            picture = overview.picture(JOB)
    last = Day.parse(picture["last"])
    write_year(root, first=last.next(), days=1, experiments=len(picture["experiments"]))
    with timed("warm, after one more day"):
        overview.picture(JOB)


def load(root: Path) -> None:
    """The document in a browser: from the start of the navigation until everything is drawn."""
    sys.path.insert(0, str(PROJECT / "plugins"))
    from dayspring.page.render import page as document
    from pipeline.monitoring.overview.picture import Overview

    picture = Overview(root).picture(JOB) | {"dag_id": f"{JOB}_daily", "runs": {"runs": {}, "tasks": {}}}
    about = {"airflow": "", "root": str(root), "conf": "", "prefix": "", "jobs": [JOB]}
    text, _ = document(JOB, {**about, "picture": picture})
    print(f"the document: {len(text) / 1e6:.2f} MB, {picture['count']} days")
    path = root / "page.html"
    path.write_text(text, encoding="utf-8")
    with browser() as started:
        page = started.new_page()
        for _ in range(3):
            page.goto(path.as_uri())
            page.locator("html[data-drawn]").wait_for(state="attached")
            seen = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
            print(f"{'drawn by the browser':<46} {seen / 1000:7.2f} s")


def _conf(root: Path, experiments: int) -> Path:
    """The production settings of the job, with the experiments whose manifests were written."""
    settings = yaml.safe_load((PROJECT / "conf" / f"{JOB}.yaml").read_text(encoding="utf-8"))
    names = [f"experiment_{number}" for number in range(1, experiments + 1)]
    settings["experiments"] = dict.fromkeys(names, next(iter(settings["experiments"].values())))
    settings["release"]["champion"] = names[0]
    folder = root / "conf"
    folder.mkdir(exist_ok=True)
    (folder / f"{JOB}.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=366)
    parser.add_argument("--experiments", type=int, default=8)
    parser.add_argument("--keep", type=Path, help="write the manifests here and leave them")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure is not None:
        measure(chosen.measure)
        return 0
    root = chosen.keep or Path(tempfile.mkdtemp(prefix="dayspring-page-"))
    try:
        if not (root / CHECKPOINT).is_dir():
            written = write_year(root, first=FIRST, days=chosen.days, experiments=chosen.experiments)
            print(f"{written} manifests, {chosen.days} days × {chosen.experiments} experiments")
        environment = {**os.environ, "DAYSPRING_CONF": str(_conf(root, chosen.experiments))}
        for _ in range(2):
            command = [sys.executable, "-m", "benchmarks.page", "--measure", str(root)]
            subprocess.run(command, cwd=PROJECT, check=True, env=environment)
        missing = lacking()
        if missing is None:
            os.environ |= environment
            load(root)
        else:
            print(json.dumps({"browser": missing}))
    finally:
        if chosen.keep is None:
            shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
