"""A request of 500 candidates: what it takes as a whole, and its model call alone.

    python -m benchmarks.request [--requests 2000] [--conf conf/quality] [--client] [--against COMMIT] [--keep FOLDER]

A generated school large enough for 2,000 owners is trained on a few days at the production schema, and one process
answers requests of different owners, by both kinds of job: impressions with all of the release's advertisements,
homework with as many chapters as give 500 packages; ``--conf`` takes the jobs of other settings than the production
ones. Wall clock and CPU time of each (all threads); the machine's load beside them. ``--against`` answers the same
requests with the code of another commit too, checked out into a folder of its own, in turns with this one, and compares
the answers; ``--client`` those of ``examples/serving/client.py``, likewise.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.request_asking import CLIENT, READER
from pipeline.days import Day
from pipeline.storage.redis import embedded

PROJECT = Path(__file__).resolve().parents[1]
FIRST = Day.of(2024, 3, 4)
DAYS = {"ads": 2, "homework": 3}
"""Days trained on: a release of homework waits for the next day's test."""
CHAPTERS = 8
"""Together they have more than 500 packages."""
WHOLE, MODEL = 10.0, 4.0
"""Most milliseconds: the 99th percentile of whole requests, the median of model calls."""


def make(folder: Path, conf: Path, jobs: list[str]) -> None:
    """The school and what is published of it by the settings in ``conf``, unless it is there."""
    target = {"ads": f"parquet:{folder / 'tables'}", "homework": f"sqlite:///{folder / 'school.db'}"}
    if not (folder / "school.db").is_file():
        _run(conf, "examples.school", "--from", str(FIRST), "--days", "3", "--teachers", "1300", "--users", "2500",
             "--ads", "500", "--impressions-per-day", "12000",
             *(each for url in target.values() for each in ("--target", url)))  # fmt: skip
    os.environ |= {f"DAYSPRING_{job.upper()}_URL": url for job, url in target.items()}
    for job in jobs:
        root = root_of(folder, conf, job)
        if not (root / "published").is_dir():
            os.environ["DAYSPRING_ROOT"] = str(root)
            last = str(FIRST.plus(DAYS[job] - 1))
            _run(conf, "pipeline", "backfill", "--job", job, "--from", str(FIRST), "--to", last, "--publish", "last")


def root_of(folder: Path, conf: Path, job: str) -> Path:
    return folder / conf.name / job


def _run(conf: Path, module: str, *arguments: str) -> None:
    environment = {**os.environ, "DAYSPRING_CONF": str(conf), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", module, *arguments]
    subprocess.run(command, check=True, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL)


def requests(folder: Path, job: str, count: int) -> list[dict[str, Any]]:
    """Requests of as many different owners as there are."""
    if job == "ads":
        import pyarrow.parquet as pq

        users = pq.read_table(folder / "tables" / "midas_online_user").column("user_id").to_pylist()
        return [{"owner": [user]} for user in sorted({int(user) for user in users if _is_id(user)})][:count]
    with sqlite3.connect(folder / "school.db") as school:
        owners = school.execute(
            "select distinct teacher_id, class_id from daily_homework_info where day >= ? order by 1, 2", (str(FIRST),)
        ).fetchall()
        found = school.execute("select distinct base_chapter_id from base_chapter_map order by 1").fetchall()
    chapters = [int(chapter) for (chapter,) in found if _is_id(chapter)]
    known = [(int(teacher), int(class_)) for teacher, class_ in owners if _is_id(teacher) and _is_id(class_)]
    return [{"owner": owner, "chapters": _turned(chapters, at)} for at, owner in enumerate(known)][:count]


def _is_id(raw: Any) -> bool:
    return str(raw).isdigit()


def _turned(chapters: list[Any], by: int) -> list[Any]:
    """Some of the chapters, others for each owner."""
    by %= len(chapters)
    return (chapters[by:] + chapters[:by])[:CHAPTERS]


def ask(code: Path, root: Path, job: str, asked: Path, script: str) -> dict[str, Any]:
    """Answer in a process that runs the code in ``code``; its figures, and a digest of every answer."""
    environment = {**os.environ, "PYTHONPATH": str(code), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", script, str(root), job, str(asked)]
    done = subprocess.run(command, check=True, cwd=code, env=environment, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def told(job: str, name: str, rounds: list[dict[str, Any]]) -> dict[str, float]:
    """Print medians of the rounds of one job and version."""
    figures = {each: statistics.median(found[each] for found in rounds) for each in rounds[0] if each != "answers"}
    print(f"{job:9} {name:9} whole p50 {figures['whole_p50']:6.2f} ms  p99 {figures['whole_p99']:6.2f}  "
          f"CPU p50 {figures['cpu_p50']:6.2f}  p99 {figures['cpu_p99']:6.2f}   model p50 {figures['model_p50']:6.2f}  "
          f"p99 {figures['model_p99']:6.2f}  CPU p50 {figures['model_cpu_p50']:6.2f}   "
          f"{figures['candidates']:.0f} candidates, {figures['owners']:.0f} owners")  # fmt: skip
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--conf", type=Path, default=PROJECT / "conf", help="the jobs' settings, such as conf/quality")
    parser.add_argument("--client", action="store_true", help="also the client by redis and TensorFlow alone")
    parser.add_argument("--against", metavar="COMMIT", help="the version before")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it")
    options = parser.parse_args()
    conf = options.conf.resolve()
    jobs = [job for job in DAYS if (conf / f"{job}.yaml").is_file()]
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        before = Path(temporary) / "before"
        code = {"this": (PROJECT, READER)} | ({"client": (PROJECT, CLIENT)} if options.client else {})
        if options.against:
            code["before"] = before, READER
            subprocess.run(["git", "worktree", "add", "--detach", str(before), options.against],
                           check=True, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        try:
            make(folder, conf, jobs)
            for job in jobs:
                asked = folder / f"{job}.json"
                asked.write_text(json.dumps(requests(folder, job, options.requests)))
                compare(root_of(folder, conf, job), job, asked, code, options.rounds)
        finally:
            for job in jobs:
                embedded.stop(root_of(folder, conf, job))
            if options.against:
                subprocess.run(["git", "worktree", "remove", "--force", str(before)], check=True, cwd=PROJECT)
    return 0


def compare(root: Path, job: str, asked: Path, code: dict[str, tuple[Path, str]], rounds: int) -> None:
    """Every version in turn, and what this one makes of the targets; ``code``: where it stands, and what asks it."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in code}
    for _ in range(rounds):
        for name, (where, script) in code.items():
            found[name].append(ask(where, root, job, asked, script))
    print(f"\nload {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, medians of {rounds} rounds")
    figures = {name: told(job, name, each) for name, each in found.items()}
    this = figures["this"]
    for what, value, most in (("whole p99", this["whole_p99"], WHOLE), ("model p50", this["model_p50"], MODEL)):
        print(f"{job:9} {what} {value:.2f} ms (target ≤ {most:g}){'' if value <= most else '  MISSED'}")
    if "client" in figures:
        value = figures["client"]["whole_p99"]
        print(f"{job:9} client's whole p99 {value:.2f} ms (target ≤ {WHOLE:g}){'' if value <= WHOLE else '  MISSED'}")
    for other in ("client", "before"):
        if other in figures:
            compared = ("whole_p50", "whole_p99", "cpu_p50")
            ratios = (f"{each} {this[each] / figures[other][each]:.2f}" for each in compared)
            same = found["this"][0]["answers"] == found[other][0]["answers"]
            print(f"{job:9} of {other}: {', '.join(ratios)}; answers {'equal' if same else 'DIFFER'}")


if __name__ == "__main__":
    sys.exit(main())
