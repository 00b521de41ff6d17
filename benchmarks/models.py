"""Cost of a training step of each model of histories, beside Keras ``fit`` and beside its matrix products alone.

    python -m benchmarks.models [--rounds 5] [--model gru …] [--batch 1024 …]

Six fields of a user, an item and its category (10⁵ rows of tables in all, width 16), a history of 50 steps of both ids,
of which a row has 1 … 50 (drawn alike), a network 256-128-64 on top; ids skewed log-uniformly, labels random: speed
only. Figures are CPU milliseconds of all threads as slopes (``benchmarks.step``), rounds interleaved, medians. ``fit``
trains the same network as one writes it in Keras (``benchmarks.models_in_keras``), on ready batches. The floor are the
matrix products of the real steps and their gradients, each in one call, in one XLA program. Compiling is what the first
step takes beyond another one, in CPU seconds; MISSED where a target is.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.models_in_keras import ATTENTION_UNITS, compiled
from benchmarks.products import products_alone
from benchmarks.step import THREADS, Run, measure
from models.engine.batching import DayBatches, score_day
from models.engine.engine import Engine, configure
from models.engine.examples import Settings
from models.schema import DayArrays, Feature, FeatureSchema, Kind, Layout, Side

WIDTH, STEPS, UNITS = 16, 50, (256, 128, 64)
SIZES = {"item": 60_000, "category": 1_000, "user": 36_000} | {f"of_user_{n}": 600 for n in range(5)}
SESSIONS = 5
MODELS = ("pooled", "din", "gru", "bgru", "dien", "dsin", "bst", "transformer")
IN_KERAS = ("din", "gru", "dien")
BATCHES = (1024, 128)
TARGETS = {("gru", 1024): 1.5, ("dien", 1024): 1.8, ("gru", 128): 2.0, ("dien", 128): 2.0}
"""``fit`` over the engine."""
MOST_COMPILING, MOST_SHAPES, MOST_OF_DIN, LEAST_SCORED = 10.0, 4, 2.0, 2.0
SHORT = 10
"""Steps at which a transformer is compared with ``din``."""


def features(model: str, steps: int) -> Iterator[Feature]:
    """Of the job; sessions for the model that reads them."""
    for name in SIZES:
        yield Feature(name, Kind.CATEGORICAL, Side.ITEM if name in ("item", "category") else Side.REQUEST, name)
    for of in ("item", "category"):
        name = f"history_{of}"
        if model == "dsin":
            yield Feature(name, Kind.SESSIONS, Side.REQUEST, of, of=of, steps=steps // SESSIONS, sessions=SESSIONS,
                          group="history")  # fmt: skip
        else:
            yield Feature(name, Kind.SEQUENCE, Side.REQUEST, of, of=of, steps=steps, group="history")


def rows_of(schema: FeatureSchema, count: int, steps: int) -> tuple[DayArrays, dict[str, NDArray[np.int32]]]:
    """A day of ``count`` rows, and its ids by feature."""
    draw, ids = np.random.default_rng(0), {}
    there = np.arange(steps) < draw.integers(1, steps + 1, count)[:, None]
    for feature in schema.features:
        size = SIZES[str(feature.space)]
        shape = (count, steps) if feature.kind.is_history else (count, 1)
        ids[feature.name] = (1 + np.floor(np.exp(draw.random(shape) * np.log(size - 2)))).astype(np.int32)
        if feature.kind.is_history:
            ids[feature.name] *= there
    on = {
        side: np.concatenate([ids[f.name] for f in schema.on(side, ids=True)], axis=1)
        for side in (Side.REQUEST, Side.ITEM)
    }
    nothing = np.zeros((count, 0), np.float32)
    day = DayArrays(
        layout=Layout.of(schema, {}), request_ids=on[Side.REQUEST], request_dense=nothing, item_ids=on[Side.ITEM],
        item_dense=nothing, offsets=np.arange(count + 1), pair_item=np.arange(count, dtype=np.int32),
        pair_dense=nothing, label=draw.integers(0, 2, count).astype(np.int8)[:, None],
        weight=np.ones(count, np.float32), user=np.zeros(count, np.int32),
    )  # fmt: skip
    return day, ids


class Trained:
    """A model in the engine."""

    def __init__(self, model: str, batch: int, steps: int = STEPS) -> None:
        schema = FeatureSchema(tuple(features(model, steps)), dict.fromkeys(SIZES, "int"))
        self.batch = batch
        self.day, self.ids = rows_of(schema, 32 * batch, steps)
        self.engine = Engine(schema, model, {"units": UNITS}, dims=dict.fromkeys(SIZES, WIDTH))
        self.engine.fresh(SIZES)
        batches = DayBatches(self.engine, self.day, Settings(batch))
        bucket = batches.unique_bucket
        ready = [batches.batch(number) for number in range(len(batches))]

        def run(steps: int) -> None:
            self.engine.train_epoch((ready[n % len(ready)] for n in range(steps)), 1e-3, bucket)

        self.run: Run = run
        self.compiling = 0.0
        for first in (lambda: run(1), lambda: score_day(self.engine, self.day)):
            self.compiling = max(self.compiling, _seconds(first) - _seconds(first))

    @property
    def shapes(self) -> int:
        """Steps and scorers that were compiled."""
        return sum(kind[0] in ("train", "score") for kind in self.engine._steps._compiled)

    def scored(self) -> float:
        """CPU milliseconds of scoring as many rows as a step trains."""
        return 1e3 * _seconds(lambda: score_day(self.engine, self.day)) * self.batch / self.day.pairs


def _seconds(run: Any) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def with_fit(model: str, trained: Trained) -> Run:
    """The same rows in ``fit``."""
    network = compiled(model, SIZES, WIDTH, UNITS)
    count, batch = trained.day.requests // trained.batch, trained.batch
    ids = {name: each[:, 0] if each.shape[1] == 1 else each for name, each in trained.ids.items()}
    parts = {name: each.reshape(count, batch, *each.shape[1:]) for name, each in ids.items()}
    label = trained.day.label[:, 0].astype(np.float32).reshape(count, batch, 1)
    ready = tf.data.Dataset.from_tensor_slices((parts, label)).repeat()
    return lambda steps: network.fit(ready, steps_per_epoch=steps, epochs=1, verbose=0) and None


def products(model: str, batch: int) -> list[tuple[int, int, int]]:
    """Rows, inputs and outputs of the products of a step, histories with their real steps alone."""
    real, width = batch * (STEPS + 1) // 2, 2 * WIDTH
    fields = len(SIZES) * WIDTH + (1 if model == "dsin" else 2) * width + (width if model == "dsin" else 0)
    tower = list(zip([batch] * 4, (fields, *UNITS), (*UNITS, 1), strict=True))
    recurrence = [(real, width, 3 * width), (real, width, 3 * width)]
    both = 2 * [(real, width, 3 * width // 2), (real, width // 2, 3 * width // 2)]
    first, second = ATTENTION_UNITS
    attention = [(batch, width, first), *2 * [(real, width, first)], (real, first, second), (real, second, 1)]
    block = 6 * [(real, width, width)]
    lstm = 4 * [(batch * SESSIONS, width, 4 * width)]
    short = [(batch * SESSIONS, *each[1:]) for each in attention]
    return tower + {
        "pooled": [], "din": attention, "gru": recurrence, "bgru": both, "dien": [*recurrence, *attention, *recurrence],
        "transformer": block, "bst": block, "dsin": [*block, *lstm, *short, *short],
    }[model]  # fmt: skip


class Report:
    """Figures beside their targets, and how many were missed."""

    def __init__(self) -> None:
        self.missed = 0

    def line(self, what: str, value: float, target: float, *, least: bool) -> None:
        """One of them."""
        good = value >= target if least else value <= target
        self.missed += not good
        print(f"  {what:<44}{value:8.2f}   target {'≥' if least else '≤'} {target:<5g} {'ok' if good else 'MISSED'}",
              flush=True)  # fmt: skip


def compare_with_fit(model: str, batch: int, rounds: int, report: Report) -> None:
    """A model at a batch: the engine, ``fit`` where there is a target, the floor, scoring."""
    trained = Trained(model, batch)
    many = max(4, 8_000 // batch)
    runs = {"engine": trained.run, "floor": products_alone(products(model, batch))}
    steps = {"engine": many, "floor": 4 * many}
    if model in IN_KERAS:
        runs["fit"], steps["fit"] = with_fit(model, trained), max(4, many // 4)
    cpu = measure(runs, steps, rounds)
    scored = statistics.median(trained.scored() for _ in range(rounds))
    print(f"{model}, batch {batch}: " + ", ".join(f"{name} {each:.1f}" for name, each in cpu.items())
          + f", scoring {scored:.1f} CPU ms; floor {cpu['floor'] / cpu['engine']:.0%} of the engine; "
          f"load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip
    if (model, batch) in TARGETS:
        report.line("fit / engine", cpu["fit"] / cpu["engine"], TARGETS[model, batch], least=True)
    elif "fit" in cpu:
        print(f"  fit / engine {cpu['fit'] / cpu['engine']:.2f}")
    report.line("rows scored / trained", cpu["engine"] / scored, LEAST_SCORED, least=True)
    report.line("most compiling of a shape, CPU s", trained.compiling, MOST_COMPILING, least=False)
    report.line("shapes", trained.shapes, MOST_SHAPES, least=False)


def compare_with_din(rounds: int, report: Report) -> None:
    """A transformer of few steps beside ``din``."""
    runs = {model: Trained(model, BATCHES[0], SHORT).run for model in ("transformer", "din")}
    cpu = measure(runs, dict.fromkeys(runs, 12), rounds)
    print(f"{SHORT} steps, batch {BATCHES[0]}: " + ", ".join(f"{name} {each:.1f}" for name, each in cpu.items()))
    report.line("transformer / din", cpu["transformer"] / cpu["din"], MOST_OF_DIN, least=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--model", action="append", choices=MODELS, help="of these alone")
    parser.add_argument("--batch", action="append", type=int, help="rows of a step (default: 1024 and 128)")
    arguments = parser.parse_args()
    configure(THREADS)
    report = Report()
    for model in arguments.model or MODELS:
        for batch in arguments.batch or BATCHES:
            compare_with_fit(model, batch, arguments.rounds, report)
            tf.keras.backend.clear_session()
    if not arguments.model or "transformer" in arguments.model:
        compare_with_din(arguments.rounds, report)
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
