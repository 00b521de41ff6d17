"""The fixed cost of a day, and memory over many days in one process.

    python -m benchmarks.many_days [--days 60] [--impressions 100] [--keep FOLDER]

Backfills `ads` at the production schema over so many generated days of 100 impressions, two experiments, every day's
export and check included, in one process. Prints the median seconds of a trained day (the first ten left out: they
import and compile), its parts, and resident memory as the days go by: a flat line is what is wanted.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import psutil

from pipeline.days import Day
from pipeline.job import JobContext
from pipeline.stages.line import Line
from pipeline.stages.stage import stage
from pipeline.storage.redis import embedded

PROJECT = Path(__file__).resolve().parents[1]
FIRST = Day.of(2024, 3, 4)
WARM_UP = 10


class TimedLine(Line):
    """A line that notes each day's seconds and the memory of this process after it."""

    def begin(self) -> None:
        self.seconds: list[float] = []
        self.memory: list[float] = []
        self.parts: dict[str, list[float]] = defaultdict(list)

    def _day(self, day: Day, *, is_last: bool) -> None:
        began = time.perf_counter()
        super()._day(day, is_last=is_last)
        self.seconds.append(time.perf_counter() - began)
        self.memory.append(psutil.Process().memory_info().rss / 1e6)


def timed_stages(line: TimedLine) -> None:
    """Wrap every stage so that its seconds are noted."""
    from pipeline.stages import line as module

    def noted(name: str) -> object:
        inner = stage(name)

        class Stage:
            @staticmethod
            def run(*args: object, **kwargs: object) -> object:
                began = time.perf_counter()
                try:
                    return inner.run(*args, **kwargs)
                finally:
                    line.parts[name].append(time.perf_counter() - began)

        return Stage

    module.stage = noted  # type: ignore[assignment]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--impressions", type=int, default=100, help="a day")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        os.environ["DAYSPRING_ADS_URL"] = f"parquet:{folder / 'ads'}"
        subprocess.run(
            [sys.executable, "-m", "examples.school", "--target", f"parquet:{folder / 'ads'}", "--from", str(FIRST),
             "--days", str(options.days), "--impressions-per-day", str(options.impressions), "--users", "300"],
            check=True, stdout=subprocess.DEVNULL, cwd=PROJECT,
        )  # fmt: skip
        context = JobContext.open("ads", root=folder / "root", conf=PROJECT / "conf")
        line = TimedLine(context, list(context.config.experiments), publish="last")
        line.begin()
        timed_stages(line)
        try:
            good = line.run(FIRST, FIRST.plus(options.days - 1))
        finally:
            embedded.stop(folder / "root")
        if not good:
            return 1
    warm = line.seconds[WARM_UP:] or line.seconds
    print(f"seconds of a trained day: median {statistics.median(warm):.2f}, first {line.seconds[0]:.1f} (target 5)")
    for name, seconds in sorted(line.parts.items(), key=lambda part: -sum(part[1])):
        print(f"  {name:16} median {statistics.median(seconds):.3f}")
    marks = sorted({WARM_UP, options.days // 2, options.days} - {0})
    shown = ", ".join(f"{day}: {line.memory[day - 1]:.0f}" for day in marks if day <= options.days)
    print(f"resident MB after day {shown}")
    if options.days > WARM_UP:
        print(f"memory of the last day / of day {WARM_UP}: {line.memory[-1] / line.memory[WARM_UP - 1]:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
