"""Cost of the shared stages of a big day of ads, by stage, beside an earlier commit's.

    python -m benchmarks.day_cost [--rows 1000000] [--before 57160d8] [--users 50000] [--rounds 1] [--keep FOLDER]

Generates two days of so many impressions at the production schema and runs the four stages of the second, each in a
process of its own, with the code as it is here and as it was at the earlier commit, one after the other in one run.
Prints CPU seconds (of which in the kernel), the peak resident size of each, and the bytes of the day's arrays.
"""

from __future__ import annotations

import argparse
import os
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


def measured(tree: Path, root: Path, sources: Path, stage: str, day: str) -> Cost:
    """Run one stage in a process of its own."""
    command = [sys.executable, "-m", "pipeline", "stage", stage, "--job", "ads", "--day", day]
    environment = {
        **os.environ, "DAYSPRING_CONF": "conf", "DAYSPRING_ROOT": str(root), "DAYSPRING_ADS_URL": f"parquet:{sources}",
        "PYTHONPATH": "",
    }  # fmt: skip
    process = subprocess.Popen(command, cwd=tree, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{stage} of {day} in {tree} ended with {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_stime, usage.ru_maxrss / 1e6)


def day_of(tree: Path, root: Path, sources: Path) -> dict[str, Cost]:
    """The cost of the second day's stages; the first day is there, so that there is something to grow from."""
    for stage in STAGES:
        measured(tree, root, sources, stage, DAYS[0])
    return {stage: measured(tree, root, sources, stage, DAYS[1]) for stage in STAGES}


def arrays_bytes(root: Path) -> float:
    """MB of the day's arrays on disk."""
    folder = root / "features" / "ads" / f"day={DAYS[1]}"
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def checked_out(commit: str, folder: Path) -> Path:
    """The tree of a commit in a folder."""
    archive = subprocess.run(["git", "archive", commit], cwd=PROJECT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def shown(name: str, rounds: list[dict[str, Cost]], size: float) -> float:
    """Print medians of the rounds; CPU seconds of all stages."""
    print(f"\n{name}")
    total = 0.0
    for stage in STAGES:
        costs = [each[stage] for each in rounds]
        cpu, kernel, peak = (statistics.median(getattr(cost, field) for cost in costs)
                             for field in ("cpu", "kernel", "peak"))  # fmt: skip
        total += cpu
        print(f"  {stage:16} {cpu:6.1f} CPU s ({kernel:4.1f} in the kernel)   peak {peak:5.2f} GB")
    print(f"  {'together':16} {total:6.1f} CPU s   arrays {size:,.0f} MB")
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="impressions a day")
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--before", default="57160d8", help="the commit to compare with; 'none' = only what is here")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        sources = folder / "ads"
        if not sources.is_dir():
            generate = ["-m", "examples.school", "--target", f"parquet:{sources}", "--from", DAYS[0], "--days", "2"]
            sizes = ["--impressions-per-day", str(options.rows), "--users", str(options.users)]
            subprocess.run([sys.executable, *generate, *sizes], cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
        trees = {"here": PROJECT}
        if options.before != "none":
            trees = {options.before: checked_out(options.before, folder / "before"), **trees}
        found: dict[str, list[dict[str, Cost]]] = {name: [] for name in trees}
        sizes_mb: dict[str, float] = {}
        for number in range(options.rounds):
            for name, tree in trees.items():
                root = folder / f"root-{name}-{number}"
                found[name].append(day_of(tree, root, sources))
                sizes_mb[name] = arrays_bytes(root)
        print(f"a day of {options.rows:,} impressions; {options.rounds} rounds; load {os.getloadavg()[0]:.1f}")
        totals = {name: shown(name, rounds, sizes_mb[name]) for name, rounds in found.items()}
        if len(totals) > 1:
            print(f"\nhere / {options.before}: {totals['here'] / totals[options.before]:.2f} of the CPU seconds")
        peak = max(cost.peak for each in found["here"] for cost in each.values())
        missed = [
            f"{what} {value:,.1f} (≤ {most:g})"
            for what, value, most in (("CPU s", totals["here"], MOST_CPU), ("peak GB", peak, MOST_PEAK),
                                      ("arrays MB", sizes_mb["here"], MOST_BYTES))
            if value > most * options.rows / 1_000_000
        ]  # fmt: skip
        print(f"MISSED: {'; '.join(missed)}" if missed else "all targets met")
    return 0


if __name__ == "__main__":
    sys.exit(main())
