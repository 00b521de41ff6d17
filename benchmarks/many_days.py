"""The fixed cost of a day, and memory over many days in one process.

    python -m benchmarks.many_days [--days 60] [--impressions 100] [--rounds 5] [--before COMMIT] [--keep FOLDER]

Backfills `ads` at the production schema over so many generated days of 100 impressions, two experiments, every day's
export and check included: each round in a process of its own, with `--before` in turns with the code of that commit.
Prints medians of the rounds: the seconds of a trained day (the first ten left out: they import and compile) by clock
and of CPU with all children, its parts, and resident memory as the days go by, which is to be a flat line.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
FIRST = "2024-03-04"
WARM_UP = 10
MOST_SECONDS, MOST_GROWTH, MOST_BETWEEN = 1.5, 0.05, 0.1
"""Targets: of a trained day, and of resident memory from day 10 to the last, and to the highest between."""


def cpu_seconds() -> float:
    """Of this process and its children: those that have ended, and the one that checks."""
    import psutil

    used = os.times()
    running = [each.cpu_times() for each in psutil.Process().children()]
    return sum([*used[:4], *(each.user + each.system for each in running)])


def one_round(folder: Path, root: Path, days: int) -> dict[str, Any]:
    """Run all days in this process; seconds, CPU seconds and resident MB by day, seconds by stage."""
    import psutil

    from pipeline.days import Day
    from pipeline.job import JobContext
    from pipeline.stages import line as module
    from pipeline.storage.redis import embedded

    os.environ["DAYSPRING_ADS_URL"] = f"parquet:{folder / 'ads'}"
    found: dict[str, Any] = {"seconds": [], "cpu": [], "memory": [], "parts": defaultdict(list)}
    stage = module.stage

    def noted(name: str) -> object:
        inner = stage(name)

        class Stage:
            @staticmethod
            def run(*args: object, **kwargs: object) -> object:
                began = time.perf_counter()
                try:
                    return inner.run(*args, **kwargs)  # type: ignore[arg-type]
                finally:
                    found["parts"][name].append(time.perf_counter() - began)

        return Stage

    class TimedLine(module.Line):
        def _day(self, day: Day, *, is_last: bool) -> None:
            began, used = time.perf_counter(), cpu_seconds()
            super()._day(day, is_last=is_last)
            found["seconds"].append(time.perf_counter() - began)
            found["cpu"].append(cpu_seconds() - used)
            found["memory"].append(psutil.Process().memory_info().rss / 1e6)

    module.stage = noted  # type: ignore[assignment]
    context = JobContext.open("ads", root=root, conf=Path("conf"))
    first = Day.parse(FIRST)
    try:
        if not TimedLine(context, list(context.config.experiments), publish="last").run(first, first.plus(days - 1)):
            raise SystemExit(1)
    finally:
        embedded.stop(root)
    return found


def ran(tree: Path, folder: Path, root: Path, days: int) -> dict[str, Any]:
    """A round with the code of a tree, in a process of its own."""
    answer = root.with_suffix(".json")
    command = [sys.executable, "-P", __file__, "--days", str(days), "--keep", str(folder), "--round", str(answer)]
    subprocess.run(command, check=True, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, stderr=sys.stderr)
    found: dict[str, Any] = json.loads(answer.read_text())
    shutil.rmtree(root)
    return found


def told(what: str, value: float, most: float, form: str) -> None:
    """A figure beside its target."""
    print(f"  {what:44} {value:{form}}  (target ≤ {most:{form}}){'' if value <= most else '  MISSED'}")


def shown(name: str, rounds: list[dict[str, Any]], days: int) -> None:
    """Medians of the rounds of one tree."""

    def median(pick: Any) -> float:
        return statistics.median(pick(each) for each in rounds)

    warm = WARM_UP if days > WARM_UP else 0
    print(f"\n{name}")
    told("seconds of a trained day, median", median(lambda each: statistics.median(each["seconds"][warm:])),
         MOST_SECONDS, ".2f")  # fmt: skip
    print(f"  {'CPU seconds of it':44} {median(lambda each: statistics.median(each['cpu'][warm:])):.2f}")
    print(f"  {'seconds of the first day':44} {median(lambda each: each['seconds'][0]):.1f}")
    parts = {
        part: median(lambda each, part=part: statistics.median(each["parts"][part][warm:] or each["parts"][part]))
        for part in rounds[0]["parts"]
    }
    for part, seconds in sorted(parts.items(), key=lambda each: -each[1]):
        print(f"    {part:16} {seconds:.3f}")
    marks = sorted({day for day in (1, WARM_UP, 20, 30, 40, 50, days) if day <= days})
    memory = {day: median(lambda each, day=day: each["memory"][day - 1]) for day in marks}
    print("  resident MB after day " + ", ".join(f"{day}: {mb:.0f}" for day, mb in memory.items()))
    if days > WARM_UP:
        growth = median(lambda each: each["memory"][-1] / each["memory"][WARM_UP - 1] - 1)
        told(f"growth of it from day {WARM_UP} to day {days}", growth, MOST_GROWTH, ".1%")
        highest = median(lambda each: max(each["memory"][WARM_UP:]) / each["memory"][WARM_UP - 1] - 1)
        told("the highest of it between", highest, MOST_BETWEEN, ".1%")


def options_of() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--impressions", type=int, default=100, help="a day")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--before", help="the commit to compare with, in turns")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it")
    parser.add_argument("--round", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    options = options_of()
    if options.round is not None:
        found = one_round(options.keep, options.round.with_suffix(""), options.days)
        options.round.write_text(json.dumps(found))
        return 0
    from benchmarks.day_cost import checked_out

    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or Path(temporary)).resolve()
        if not (folder / "ads").is_dir():
            sizes = ["--days", options.days, "--impressions-per-day", options.impressions, "--users", 300]
            target = ["--target", f"parquet:{folder / 'ads'}", "--from", FIRST]
            command = [sys.executable, "-m", "examples.school", *target, *map(str, sizes)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=PROJECT)
        trees = {"here": PROJECT}
        if options.before is not None:
            trees = {options.before: checked_out(options.before, folder / "before"), **trees}
        loads, rounds = [os.getloadavg()[0]], defaultdict(list)
        for number in range(options.rounds):
            for name, tree in trees.items():
                rounds[name].append(ran(tree, folder, folder / f"root-{name}-{number}", options.days))
            loads.append(os.getloadavg()[0])
    print(f"{options.days} days of {options.impressions} impressions, medians of {options.rounds} interleaved rounds; "
          f"load {min(loads):.1f} to {max(loads):.1f} on {os.cpu_count()} cores")  # fmt: skip
    for name, found in rounds.items():
        shown(name, found, options.days)
    return 0


if __name__ == "__main__":
    sys.exit(main())
