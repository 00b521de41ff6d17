"""The shared stages of a big day of ads in some numbers of shards, by one process and by two; and of a bigger one.

    python -m benchmarks.shards [--rows 1000000] [--shards 1 4 16] [--also 10000000] [--train] [--keep FOLDER]

Generates two days at the production schema and runs the stages of the second, each in a process of its own: once in
each number of shards by one process, and in the last of them by two. Prints CPU and wall-clock seconds and the peak
resident size of any process (of pages of files that are mapped too), and that what was made is the same. With
``--also`` days of that many rows are run in as many shards as `auto` gives them, with ``--train`` trained too.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.day_cost import DAYS, PROJECT, STAGES, generated, judged
from pipeline.storage.artifacts.manifest import Manifest

EXPERIMENT = "pooled"
_MOST_PEAK, _MOST_TIMES, _MOST_SLOWER, _LEAST_QUICKER = 2.0, 1.1, 1.10, 1.7
"""GB of any process; how much more than n times as long n times the rows may take; many shards; two processes."""


@dataclass(frozen=True)
class Cost:
    """Seconds of all threads and processes, of the clock, and GB resident of the largest process."""

    cpu: float
    wall: float
    peak: float


def settings(folder: Path, shards: int | str, processes: int) -> Path:
    """A folder of YAML in which a day has so many shards."""
    conf = folder / f"conf-{shards}-{processes}"
    conf.mkdir(exist_ok=True)
    text = (PROJECT / "conf" / "ads.yaml").read_text(encoding="utf-8")
    (conf / "ads.yaml").write_text(f"{text}\nshards: {shards}\nprocesses: {processes}\n", encoding="utf-8")
    return conf


def measured(conf: Path, root: Path, sources: Path, stage: str, day: str) -> Cost:
    """Run one stage in a process of its own."""
    command = [sys.executable, "-m", "pipeline", "stage", stage, "--job", "ads", "--day", day]
    command += ["--experiment", EXPERIMENT] if stage == "experiment" else []
    environment = {
        **os.environ, "DAYSPRING_CONF": str(conf), "DAYSPRING_ROOT": str(root), "PYTHONPATH": "",
        "DAYSPRING_ADS_URL": f"parquet:{sources}",
    }  # fmt: skip
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{stage} of {day} ended with {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss / 1e6)


class Day:
    """A second day, run from the same first one as often as is asked."""

    def __init__(self, folder: Path, rows: int, users: int, stages: tuple[str, ...]) -> None:
        self._folder, self._rows, self._stages = folder, rows, stages
        self._sources = generated(folder, rows, users)
        self._first = folder / f"first-{rows}"

    def run(self, shards: int | str, processes: int) -> tuple[dict[str, Cost], str]:
        """What each stage took, and the digest of what the features are."""
        conf, root = settings(self._folder, shards, processes), self._folder / f"second-{self._rows}"
        if not self._first.is_dir():
            for stage in self._stages:
                measured(conf, self._first, self._sources, stage, DAYS[0])
        shutil.copytree(self._first, root, symlinks=True)
        costs = {stage: measured(conf, root, self._sources, stage, DAYS[1]) for stage in self._stages}
        features = root / "features" / "ads" / f"day={DAYS[1]}" / "gen=0001"
        digest = Manifest.read(features / "manifest.json").digest
        shutil.rmtree(root)
        print(f"\n{self._rows:,} rows in {shards} shards by {processes} process{'es' * (processes > 1)}")
        for stage, cost in [*costs.items(), ("together", together(costs))]:
            print(f"  {stage:16} {cost.cpu:7.1f} CPU s {cost.wall:7.1f} s   peak {cost.peak:5.2f} GB", flush=True)
        return costs, digest


def together(costs: dict[str, Cost], *, without: str = "") -> Cost:
    """All stages, or all but one."""
    some = [cost for stage, cost in costs.items() if stage != without]
    return Cost(sum(c.cpu for c in some), sum(c.wall for c in some), max(c.peak for c in some))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="impressions a day")
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--also", type=int, help="run days of so many impressions too, in as many shards as `auto`")
    parser.add_argument("--train", action="store_true", help=f"train `{EXPERIMENT}` too")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it")
    options = parser.parse_args()
    stages = (*STAGES, *(["experiment"] if options.train else []))
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        day = Day(folder, options.rows, options.users, stages)
        runs = {shards: day.run(shards, 1) for shards in options.shards}
        most = options.shards[-1]
        by_two = day.run(most, 2)
        digests = {digest for _, digest in (*runs.values(), by_two)}
        print(f"\nthe features are {'the same' if len(digests) == 1 else 'DIFFERENT'}; load {os.getloadavg()[0]:.1f}")
        first, last = runs[options.shards[0]][0], runs[most][0]
        judged(f"CPU s of {most} shards, times those of one", together(last).cpu / together(first).cpu, _MOST_SLOWER)
        # Extraction is one stream whatever shards there are.
        one, two = (together(each, without="extract").wall for each in (last, by_two[0]))
        print(f"  {'one process, times two (without extract)':44} {one / two:8,.2f}  (target ≥ {_LEAST_QUICKER:g})")
        if options.also:
            more = Day(folder, options.also, options.users, stages).run("auto", 2)[0]
            times = options.also / options.rows
            judged("GB of any process", together(more).peak, _MOST_PEAK)
            judged("times the CPU s", together(more).cpu / together(by_two[0]).cpu, _MOST_TIMES * times)
    return int(len(digests) > 1)


if __name__ == "__main__":
    sys.exit(main())
