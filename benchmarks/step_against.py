"""Cost of a training step against another commit's code: ``pooled``, ``din`` and the model of ``benchmarks.step``.

    python -m benchmarks.step_against [--commit 470bbf4] [--rounds 9] [--model pooled …]

Each version trains in a process of its own that stays, so that it compiles once; the two take turns, and of every round
the ratio of their slopes is taken (CPU milliseconds of all threads, as in ``benchmarks.step``). ``pooled`` and ``din``
read what the example job of ads reads: 14 ids, a bag of four, twenty steps of two ids and 15 floats. The model of
``benchmarks.step`` is that of each version's own benchmark.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.day_cost import checked_out

PROJECT = Path(__file__).resolve().parents[1]
MODELS = {"pooled": 128, "din": 128, "deepfm": 1024}
"""Batch of each."""
MOST = 1.03

TRAINER = """
import sys

import numpy as np

from benchmarks.step import THREADS, data, slope, with_engine
from models.engine.batching import DayBatches
from models.engine.engine import Engine, configure
from models.engine.examples import Settings
from models.schema import DayArrays, Feature, FeatureSchema, Kind, Layout, Side

model, batch = sys.argv[1], int(sys.argv[2])
OPTIONS = {
    "pooled": {"pooling": "mean", "units": [128, 64]},
    "din": {"units": [128, 64], "attention_units": [40]},
}
SIZES = {"user": 30_000, "ad": 60_000, "author": 20_000, "tag": 200} | {f"of_user_{i}": 50 for i in range(8)}
SIZES |= {f"of_ad_{i}": 20 for i in range(3)}


def features():
    for name in ("user", *(name for name in SIZES if name.startswith("of_user"))):
        yield Feature(name, Kind.CATEGORICAL, Side.REQUEST, name)
    for name in ("ad", "author", *(name for name in SIZES if name.startswith("of_ad"))):
        yield Feature(name, Kind.CATEGORICAL, Side.ITEM, name)
    yield Feature("tags", Kind.BAG, Side.ITEM, "tag", values=4)
    for of in ("ad", "author"):
        yield Feature(f"clicked_{of}", Kind.SEQUENCE, Side.REQUEST, of, of=of, steps=20, group="clicked")
    for number in range(15):
        yield Feature(f"rate_{number}", Kind.DENSE, Side.PAIR)


def day(schema, rows):
    draw, layout = np.random.default_rng(0), Layout.of(schema, {})

    def ids(side):
        parts = []
        for feature in schema.features:
            if feature.side is side and feature.space:
                columns = {Kind.BAG: feature.values, Kind.SEQUENCE: feature.steps}.get(feature.kind, 1)
                skewed = 1 + np.floor(np.exp(draw.random((rows, columns)) * np.log(SIZES[feature.space] - 2)))
                there = np.arange(columns) < draw.integers(1, columns + 1, rows)[:, None]
                parts.append(np.where(there, skewed, 0).astype(np.int32))
        return np.concatenate(parts, axis=1)

    label = draw.integers(0, 2, rows).astype(np.int8)
    return DayArrays(
        layout=layout, request_ids=ids(Side.REQUEST), request_dense=np.zeros((rows, 0), np.float32),
        item_ids=ids(Side.ITEM), item_dense=np.zeros((rows, 0), np.float32), offsets=np.arange(rows + 1),
        pair_item=np.arange(rows, dtype=np.int32), pair_dense=draw.normal(size=(rows, 15)).astype(np.float32),
        label=label[:, None] if "tasks" in DayArrays.__dataclass_fields__ else label,
        weight=np.ones(rows, np.float32), user=np.zeros(rows, np.int32),
    )


def trained():
    if model not in OPTIONS:
        return with_engine(data(100_000, 64 * batch), batch)[0]
    schema = FeatureSchema(tuple(features()), dict.fromkeys(SIZES, "int"))
    engine = Engine(schema, model, OPTIONS[model], dims=dict.fromkeys(SIZES, 8))
    engine.fresh(SIZES)
    batches = DayBatches(engine, day(schema, 64 * batch), Settings(batch))
    bucket = batches.unique_bucket

    def run(steps):
        engine.train_epoch((batches.batch(n % len(batches)) for n in range(steps)), 1e-3, bucket)

    return run


configure(THREADS)
run, steps = trained(), max(10, 12_000 // batch)
run(steps)
print("CPU ms", flush=True)
for _ in sys.stdin:
    print("CPU ms", slope(run, steps), flush=True)
"""


class Trainer:
    """One version's process."""

    def __init__(self, code: Path, model: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(code), "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, "-c", TRAINER, model, str(MODELS[model])]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=code, env=environment, stdin=pipe, stdout=pipe, text=True)
        self._said()

    def slope(self) -> float:
        """CPU milliseconds a step."""
        assert self._process.stdin
        print(file=self._process.stdin, flush=True)
        return float(self._said())

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _said(self) -> str:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("CPU ms"):
                return line.removeprefix("CPU ms")
        raise SystemExit(f"the trainer ended with {self._process.wait()}")


def compared(model: str, trees: tuple[Path, Path], rounds: int) -> list[tuple[float, float]]:
    """CPU milliseconds a step by the code before and by this one, round by round."""
    with ExitStack() as stack:
        trainers = [Trainer(tree, model) for tree in trees]
        for trainer in trainers:
            stack.callback(trainer.close)
        found = []
        for number in range(rounds):
            turn = [0, 1] if number % 2 else [1, 0]
            slopes = {which: trainers[which].slope() for which in turn}
            found.append((slopes[0], slopes[1]))
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commit", default="470bbf4", help="the version to compare with (default 470bbf4)")
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds (default 9)")
    parser.add_argument("--model", action="append", choices=MODELS, help="of these alone")
    arguments = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        trees = checked_out(arguments.commit, Path(folder)), PROJECT
        for model in arguments.model or MODELS:
            found = compared(model, trees, arguments.rounds)
            before, here = (statistics.median(each) for each in zip(*found, strict=True))
            ratio = statistics.median(now / then for then, now in found)
            missed += ratio > MOST
            print(f"{model}, batch {MODELS[model]}: {arguments.commit} {before:.2f}, here {here:.2f} CPU ms a step, "
                  f"ratio {ratio:.3f} (target ≤ {MOST}){'' if ratio <= MOST else '  MISSED'}; {arguments.rounds} "
                  f"rounds, load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
