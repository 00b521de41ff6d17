"""Cost of the shared stages of a big day of ads, by stage, beside an earlier commit's.

    python -m benchmarks.day_cost [--rows 1000000] [--before 57160d8] [--rounds 5] [--also 3000000] [--keep FOLDER]

Generates two days of so many impressions at the production schema and runs the four stages of the second, each in a
process of its own, with the code as it is here and as it was at the earlier commit, in turns in one run. Prints the
medians of CPU seconds (of which in the kernel) and of the peak resident size of each, and the bytes of the day's
arrays. With ``--also`` the code here runs days of that many too: by how much their peaks are higher.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
STAGES = ("extract", "validate", "update_id_maps", "build_features")
DAYS = ("2024-03-04", "2024-03-05")
MOST_CPU, MOST_PEAK, MOST_BYTES = 25.0, 1.5, 500.0
"""Targets for 10⁶ impressions: CPU seconds of all four, GB of each, MB of the arrays."""


@dataclass(frozen=True)
class Cost:
    """What a stage took.

    Attributes:
        cpu, kernel: seconds of all threads, and those of them in the kernel; peak: GB resident.
    """

    cpu: float
    kernel: float
    peak: float


Costs = dict[str, Cost]
"""By stage."""


def measured(tree: Path, root: Path, sources: Path, stage: str, day: str) -> Cost:
    """Run one stage in a process of its own."""
    command = [sys.executable, "-m", "pipeline", "stage", stage, "--job", "ads", "--day", day]
    environment = {
        **os.environ, "DAYSPRING_CONF": "conf", "DAYSPRING_ROOT": str(root), "DAYSPRING_ADS_URL": f"parquet:{sources}",
        "PYTHONPATH": "",
    }  # fmt: skip
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, cwd=tree, env=environment, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{said.read()}\n{stage} of {day} in {tree} ended with {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_stime, usage.ru_maxrss / 1e6)


class Days:
    """Two generated days, run by one tree: the first once, so that there is something to grow from."""

    def __init__(self, tree: Path, folder: Path, sources: Path) -> None:
        self._tree, self._folder, self._sources = tree, folder, sources
        self.costs: list[Costs] = []
        self.megabytes = 0.0
        self._ran(folder / "first", DAYS[0])

    def run(self) -> None:
        """One round of the second day."""
        root = self._folder / "second"
        shutil.copytree(self._folder / "first", root, symlinks=True)
        self.costs.append(self._ran(root, DAYS[1]))
        arrays = root / "features" / "ads" / f"day={DAYS[1]}"
        self.megabytes = sum(path.stat().st_size for path in arrays.rglob("*") if path.is_file()) / 1e6
        shutil.rmtree(root)

    def _ran(self, root: Path, day: str) -> Costs:
        return {stage: measured(self._tree, root, self._sources, stage, day) for stage in STAGES}

    def median(self, stage: str, what: str) -> float:
        """The median of the rounds."""
        return statistics.median(getattr(costs[stage], what) for costs in self.costs)

    @property
    def cpu(self) -> float:
        """CPU seconds of all stages."""
        return statistics.median(sum(cost.cpu for cost in costs.values()) for costs in self.costs)


def generated(folder: Path, rows: int, users: int) -> Path:
    """Sources of two days of so many impressions."""
    sources = folder / f"ads-{rows}"
    if not sources.is_dir():
        generate = ["-m", "examples.school", "--target", f"parquet:{sources}", "--from", DAYS[0], "--days", "2"]
        sizes = ["--impressions-per-day", str(rows), "--users", str(users)]
        subprocess.run([sys.executable, *generate, *sizes], cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    return sources


def checked_out(commit: str, folder: Path) -> Path:
    """The tree of a commit in a folder."""
    archive = subprocess.run(["git", "archive", commit], cwd=PROJECT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def shown(name: str, days: Days, load: float) -> None:
    """Print the medians of the rounds."""
    print(f"\n{name}: median of {len(days.costs)} rounds; load {load:.1f}")
    for stage in STAGES:
        cpu, kernel, peak = (days.median(stage, what) for what in ("cpu", "kernel", "peak"))
        print(f"  {stage:16} {cpu:6.1f} CPU s ({kernel:4.1f} in the kernel)   peak {peak:5.2f} GB")
    print(f"  {'together':16} {days.cpu:6.1f} CPU s   arrays {days.megabytes:,.0f} MB")


def judged(what: str, value: float, most: float) -> None:
    print(f"  {what:44} {value:8,.2f}  (target ≤ {most:g}){'' if value <= most else '  MISSED'}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="impressions a day")
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--before", default="57160d8", help="the commit to compare with; 'none' = only what is here")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--also", type=int, help="run days of so many impressions too, once")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        sources = generated(folder, options.rows, options.users)
        trees = {"here": PROJECT}
        if options.before != "none":
            trees = {options.before: checked_out(options.before, folder / "before"), **trees}
        days = {name: Days(tree, folder / f"root-{name}", sources) for name, tree in trees.items()}
        for number in range(options.rounds):
            for name in [*trees][:: 1 if number % 2 else -1]:
                days[name].run()
        print(f"days of {options.rows:,} impressions")
        for name, each in days.items():
            shown(name, each, os.getloadavg()[0])
        # Of a smaller day the start of four processes is most.
        size, here = max(options.rows / 1_000_000, 1.0), days["here"]
        print("\nhere")
        judged("CPU s together", here.cpu, MOST_CPU * size)
        for stage in STAGES:
            judged(f"peak GB of {stage}", here.median(stage, "peak"), MOST_PEAK)
        judged("MB of arrays", here.megabytes, MOST_BYTES * size)
        if options.before != "none":
            print(f"  {f'of the CPU s of {options.before}':44} {here.cpu / days[options.before].cpu:8.2f}")
        if options.also:
            more = Days(PROJECT, folder / "root-also", generated(folder, options.also, options.users))
            more.run()
            shown(f"here, days of {options.also:,}", more, os.getloadavg()[0])
            for stage in STAGES:
                times = more.median(stage, "peak") / here.median(stage, "peak")
                judged(f"times the peak of {stage}", times, options.also / options.rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
