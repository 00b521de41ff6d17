"""``compare`` over a month: CPU and memory, and how memory grows with the days.

    python -m benchmarks.compare [--days 30] [--experiments 8] [--rows 15000] [--rounds 5]

Days of impressions with scores of their own, written as features and tests, nothing trained. Each comparison is a
process of its own. Printed are medians of interleaved rounds, the machine's load, and MISSED where a target is.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.schema import DayArrays, FeatureSchema, Layout
from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.evaluation.compare import compare
from pipeline.evaluation.compared_day import Asked
from pipeline.evaluation.superiority import LOGITS
from pipeline.features.arrays import files
from pipeline.features.arrays.assemble import Built
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import FEATURES, TEST
from pipeline.storage.artifacts.readable import Readable

FIRST = Day.of(2024, 3, 1)
FEW_DAYS = 5
MOST_SECONDS = {"auc": 15.0, "log_loss": 8.0}
"""CPU seconds of 30 days of 15,000 rows and 8 experiments."""
MOST_GROWTH = 1.1
"""Peak memory of all days over that of a few."""


def context(root: Path, experiments: int) -> JobContext:
    """A job of impressions with so many experiments."""
    config = JobConfig.model_validate({
        "job": "compared", "kind": "impressions",
        "tables": {"log": {"source": "log", "columns": {
            "user": {"type": "int"}, "ad": {"type": "int"},
            "label": {"type": "int", "required": True, "allowed": [0, 1]},
        }}},
        "spaces": {"ad": "int"},
        "impressions": {"rows": "log", "user": "user", "item": "ad", "label": "label"},
        "features": {"ad": {"kind": "categorical", "side": "item", "space": "ad", "source": "item.ad"}},
        "experiments": {f"e{number}": {"model": "pooled", "loss": "binary"} for number in range(experiments)},
        "release": {"champion": "e0"},
    })  # fmt: skip
    return JobContext(config, root)


def write_day(here: JobContext, day: Day, rows: int) -> None:
    """A day's rows, of half as many users, and every experiment's scores of them."""
    rng = np.random.default_rng(day - FIRST)
    truth = rng.normal(size=rows).astype(np.float32)
    empty, nothing = np.zeros((rows, 0), np.int32), np.zeros((rows, 0), np.float32)
    arrays = DayArrays(
        layout=Layout.of(FeatureSchema(()), {}), request_ids=empty, request_dense=nothing, item_ids=empty,
        item_dense=nothing, offsets=np.arange(rows + 1), pair_item=np.arange(rows, dtype=np.int32), pair_dense=nothing,
        label=(rng.random(rows) < 1 / (1 + np.exp(-truth))).astype(np.int8), weight=np.ones(rows, np.float32),
        user=rng.integers(0, rows // 2, rows, np.int32),
    )  # fmt: skip
    built = Built(arrays, np.arange(rows, dtype=np.int32), {}, {}, np.zeros(rows, np.int16))
    with here.store.draft(Ref(FEATURES, here.job, day)) as draft:
        digest = files.write(draft.path, files.ROWS, built)
        features = draft.commit(key=digest, digest=digest, inputs=[])
    for name in here.config.experiments:
        with here.store.draft(Ref(TEST, here.job, day, name)) as draft:
            np.save(draft.path / LOGITS, truth + rng.normal(size=rows).astype(np.float32))
            draft.commit(key=name, digest=name, inputs=[features.as_input()])


def work(root: Path, days: int, experiments: int, measure: str) -> None:
    """A comparison in this process; prints its CPU seconds and the process's peak in MB."""
    here = context(root, experiments)
    before = resource.getrusage(resource.RUSAGE_SELF)
    found = compare(
        here, Asked(tuple(here.config.experiments), measure), Readable(), last=FIRST.plus(days - 1)
    ).over_days()  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert [each.days for each in found] == [days] * (experiments - 1)
    print(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss / 1024)


def measured(root: Path, days: int, experiments: int, measure: str) -> tuple[float, float]:
    """CPU seconds and peak MB of a comparison in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.compare", "--work", str(root), measure]
    command += ["--days", str(days), "--experiments", str(experiments)]
    seconds, peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), float(peak)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--experiments", type=int, default=8)
    parser.add_argument("--rows", type=int, default=15_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", nargs=2, metavar=("ROOT", "MEASURE"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.work:
        work(Path(given.work[0]), given.days, given.experiments, given.work[1])
        return
    with tempfile.TemporaryDirectory(prefix="compare-") as folder:
        root = Path(folder)
        here = context(root, given.experiments)
        for day in FIRST.through(FIRST.plus(given.days - 1)):
            write_day(here, day, given.rows)
        cases = [(measure, days) for measure in MOST_SECONDS for days in (FEW_DAYS, given.days)]
        rounds = [{case: measured(root, case[1], given.experiments, case[0]) for case in cases}
                  for _ in range(given.rounds)]  # fmt: skip
    share = given.days * given.experiments * given.rows / (30 * 8 * 15_000)
    for measure, most in MOST_SECONDS.items():
        seconds, peak, few = (
            statistics.median(each[measure, days][part] for each in rounds)
            for days, part in ((given.days, 0), (given.days, 1), (FEW_DAYS, 1))
        )
        missed = ": MISSED" if seconds > most * share or peak > MOST_GROWTH * few else ""
        print(
            f"{measure}: {given.days} days of {given.rows:,} rows, {given.experiments} experiments: {seconds:.1f} CPU "
            f"seconds (≤ {most * share:.0f}), {peak:.0f} MB at most, {peak / few:.2f} of that of {FEW_DAYS} days "
            f"(≤ {MOST_GROWTH}){missed}; load {os.getloadavg()[0]:.1f}"
        )


if __name__ == "__main__":
    main()
