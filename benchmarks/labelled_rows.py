"""Cost of labelled rows from lines of text to an exported model, and of more of them.

    python -m benchmarks.labelled_rows [--rows 1000000] [--also 3000000] [--per-day 250000] [--experiment deepfm]

Generates so many lines in Criteo's published layout (examples.criteo_like), which is not counted; then converts them to
days of as many rows each (examples.criteo) and runs a backfill of all days, in a process each: extract, validate, id
maps, features, and of one experiment of ``examples/conf/criteo.yaml`` the test of each day, the training and the
export. Prints CPU seconds of all threads and the peak resident size of both, and MISSED where a target is. With
``--also`` the same of more rows: by how much the peaks are higher.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc

from examples.criteo_like import IDS, NUMBERS, World
from pipeline.days import Day

PROJECT = Path(__file__).resolve().parents[1]
FIRST = Day.of(2024, 1, 1)
MOST_CPU, MOST_GROWTH = 90.0, 1.1
"""Targets: CPU seconds of 10⁶ rows; the peak of more rows as a share of that of fewer."""


@dataclass(frozen=True)
class Cost:
    """What a process took.

    Attributes:
        cpu: seconds of all threads; peak: GB resident.
    """

    cpu: float
    peak: float


def lines(path: Path, rows: int, per_day: int) -> int:
    """Write lines of days of so many rows; returns how many days there are."""
    world, days = World(), -(-rows // per_day)
    options = pc.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    schema = pa.schema([(name, pa.string() if name in IDS else pa.int64()) for name in ("label", *NUMBERS, *IDS)])
    with path.open("wb") as file, pc.CSVWriter(file, schema, write_options=options) as writer:
        for number in range(days):
            for table in world.day(FIRST.plus(number), min(per_day, rows - number * per_day)):
                writer.write_table(table.select(schema.names))
    return days


def measured(words: Sequence[str], **variables: str) -> Cost:
    """Run a module in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": "", "DAYSPRING_CONF": "examples/conf", **variables}
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=PROJECT, env=environment, stdout=said, stderr=said
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{said.read()}\n{' '.join(words)} ended with {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6)


def run(rows: int, per_day: int, experiment: str, folder: Path) -> dict[str, Cost]:
    """The costs of so many rows, by step."""
    text = folder / "train.txt"
    days = lines(text, rows, per_day)
    target = f"parquet:{folder / 'rows'}"
    found = {"convert": measured(["examples.criteo", "--source", str(text), "--target", target, "--days", str(days)])}
    text.unlink()
    span = ["--from", str(FIRST), "--to", str(FIRST.plus(days - 1))]
    words = ["pipeline", "backfill", "--job", "criteo", *span, "--experiment", experiment, "--publish", "none"]
    variables = {"DAYSPRING_CRITEO_URL": target, "DAYSPRING_ROOT": str(folder / "root")}
    return found | {"backfill": measured(words, **variables)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--also", type=int, help="so many too: their peaks beside the others'")
    parser.add_argument("--per-day", type=int, default=250_000, metavar="N", help="rows of a day (default %(default)s)")
    parser.add_argument("--experiment", default="deepfm", help="default %(default)s")
    given = parser.parse_args()
    found: dict[int, dict[str, Cost]] = {}
    for rows in filter(None, (given.rows, given.also)):
        with tempfile.TemporaryDirectory(prefix="labelled-rows-") as folder:
            found[rows] = run(rows, given.per_day, given.experiment, Path(folder))
        for name, cost in found[rows].items():
            print(f"{rows:>9} rows  {name:<10}{cost.cpu:8.1f} CPU s   peak {cost.peak:5.2f} GB", flush=True)
    cpu = sum(cost.cpu for cost in found[given.rows].values())
    most = MOST_CPU * max(given.rows, 1_000_000) / 1e6  # fewer rows have to start processes and compile too
    print(f"CPU s of {given.rows} rows {cpu:.1f} (target ≤ {most:.0f}){'' if cpu <= most else ': MISSED'}")
    if given.also:
        for name, cost in found[given.also].items():
            times = cost.peak / found[given.rows][name].peak
            told = "" if times <= MOST_GROWTH else ": MISSED"
            print(f"peak of {name}, {given.also} rows / {given.rows} {times:.2f} (target ≤ {MOST_GROWTH}){told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
