"""Cost of the same training steps by two trainers beside those by one, on the cores of this machine.

    python -m benchmarks.trainers [--rounds 5] [--case din:1024 …]

A case is a model of ``benchmarks.models``, or `deepfm`, that of ``benchmarks.step``, and the rows of a batch. One
process with two threads takes a step on the whole batch; two processes with one thread each take it together, every
one on its half (`workers: 2`). CPU milliseconds a step of all processes and threads, from the day's arrays on, as
slopes between a short and a long run; rounds by turns, medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.engine.exchange import Exchange

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

PROJECT = Path(__file__).resolve().parents[1]
CASES = ("pooled:1024", "deepfm:1024", "deepfm:8192", "din:1024", "din:4096")
MOST = 1.15
THREADS = 2


def trainer(model: str, batch: int) -> None:
    """Take as many steps as each line of the standard input says, and tell the CPU milliseconds."""
    import time

    import tensorflow as tf

    from benchmarks import step
    from models.engine.engine import configure
    from models.engine.exchange import Workers

    together = "TF_CONFIG" in os.environ
    configure(1 if together else THREADS)
    exchange = Workers(tf.distribute.cluster_resolver.TFConfigClusterResolver()) if together else None
    if model == "deepfm":
        run = step.with_engine(step.data(100_000, 16 * batch), batch, exchange=exchange)[0]
    else:
        run = with_histories(model, batch, exchange)
    for line in sys.stdin:
        began = time.process_time()
        run(int(line))
        print(1e3 * (time.process_time() - began), flush=True)


def with_histories(model: str, batch: int, exchange: Exchange | None) -> Callable[[int], None]:
    """Steps of a model of ``benchmarks.models``, batches put together anew each time."""
    from benchmarks.models import SIZES, STEPS, UNITS, WIDTH, features, rows_of
    from models.engine.batching import DayBatches
    from models.engine.engine import Engine
    from models.engine.examples import Settings
    from models.schema import FeatureSchema

    schema = FeatureSchema(tuple(features(model, STEPS)), dict.fromkeys(SIZES, "int"))
    engine = Engine(schema, model, {"units": UNITS}, dims=dict.fromkeys(SIZES, WIDTH), exchange=exchange)
    engine.fresh(SIZES)
    batches = DayBatches(engine, rows_of(schema, 16 * batch, STEPS)[0], Settings(batch))
    bucket = batches.unique_bucket

    def run(steps: int) -> None:
        engine.train_epoch((batches.batch(n % len(batches)) for n in range(steps)), 1e-3, bucket)

    return run


class Trainers:
    """Processes that train together; one alone needs no cluster."""

    def __init__(self, case: str, count: int, open_: ExitStack) -> None:
        from pipeline.training.clusters import started_here

        clusters = [each.written for each in started_here(None, count, "")] if count > 1 else [""]
        command = [sys.executable, "-m", "benchmarks.trainers", "--trainer", case]
        environments = [{**os.environ, **({"TF_CONFIG": each} if each else {})} for each in clusters]
        self._processes = [
            open_.enter_context(subprocess.Popen(
                command, cwd=PROJECT, env=each, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )) for each in environments
        ]  # fmt: skip

    def run(self, steps: int) -> float:
        """CPU milliseconds of all for so many steps."""
        for process in self._processes:
            print(steps, file=process.stdin, flush=True)
        return sum(float(process.stdout.readline()) for process in self._processes)  # type: ignore[union-attr]

    def slope(self, steps: int) -> float:
        """CPU milliseconds a step, between a run of ``steps`` and one of five times as many."""
        short, long = self.run(steps), self.run(5 * steps)
        return (long - short) / (4 * steps)


def compared(case: str, rounds: int) -> float:
    """Two trainers over one; prints both."""
    batch = int(case.partition(":")[2])
    steps = max(4, 12_000 // batch)
    with ExitStack() as open_:
        both = {count: Trainers(case, count, open_) for count in (1, 2)}
        for each in both.values():
            each.run(2)
        figures = [{count: each.slope(steps) for count, each in both.items()} for _ in range(rounds)]
    one, two = (statistics.median(each[count] for each in figures) for count in (1, 2))
    ratio = statistics.median(each[2] / each[1] for each in figures)
    good = "ok" if ratio <= MOST else "MISSED"
    told = f"{ratio:5.2f} (<= {MOST}: {good})   load {os.getloadavg()[0]:.1f}"
    print(f"{case:14}{one:8.2f}{two:8.2f} CPU ms a step   {told}", flush=True)
    return ratio


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of one and two trainers by turns (default 5)")
    parser.add_argument("--case", action="append", metavar="MODEL:BATCH", help=f"default: {', '.join(CASES)}")
    parser.add_argument("--trainer", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.trainer:
        model, _, batch = arguments.trainer.partition(":")
        trainer(model, int(batch))
        return 0
    print("case               one     two")
    ratios = [compared(case, arguments.rounds) for case in arguments.case or CASES]
    return 1 if max(ratios) > MOST else 0


if __name__ == "__main__":
    sys.exit(main())
