"""Cost of a training step: the engine against Keras ``fit`` and against the network on top alone.

    python -m benchmarks.step [--rounds 5] [--case 100000x128 …]

A DeepFM of 26 categorical fields (width 16, first-order term, network 256-128-64, Adam) over tables of V rows
in all, ids skewed log-uniformly, labels random: speed only. Figures are CPU milliseconds of all threads, as the
slope between a short and a long run, so that fixed costs of a call drop out; rounds are interleaved and the
median taken. The engine's figure includes everything from the day's arrays on: taking rows, looking distinct
ones up, padding. ``fit`` is fed by ready batches, its cheapest input.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.engine.batching import DayBatches
from models.engine.engine import Engine, configure
from models.engine.examples import Settings
from models.engine.exchange import Exchange
from models.engine.packing import Packer
from models.inputs import ModelInputs
from models.options import ModelOptions
from models.outputs import Outputs
from models.registry import register
from models.schema import DayArrays, Feature, FeatureSchema, Kind, Layout, Side
from models.tables import TableSpec, one_per_space

FIELDS = 26
WIDTH = 16
UNITS = (256, 128, 64)
THREADS = 2
CASES = ((100_000, 128), (100_000, 1024), (1_000_000, 128))
TARGETS = {(100_000, 128): 3.2, (100_000, 1024): 1.5, (1_000_000, 128): 9.0}
FLOOR_CASE, FLOOR_TARGET = (100_000, 1024), 0.65
FLAT_TARGET = 1.6
INPUT_TARGET = 0.05


class DeepFMOptions(ModelOptions):
    """The benchmark's model has no options."""


@register("deepfm_benchmark")
class DeepFM(keras.layers.Layer):
    """First order, second order and a network over the same vectors; a row is its vector and its weight."""

    Options = DeepFMOptions

    def __init__(self, schema: FeatureSchema, options: DeepFMOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(name="deepfm")
        (self.task,) = tasks
        self.schema = schema
        self.names = [feature.name for feature in schema.features]
        self.normalisers: dict[str, Any] = {}
        self.network = [keras.layers.Dense(n, "relu", name=f"hidden_{i}") for i, n in enumerate(UNITS)]
        self.score = keras.layers.Dense(1, name="score")

    def build(self, *shapes: object) -> None:
        self.built = True

    def tables(self, dims: Mapping[str, int]) -> tuple[TableSpec, ...]:
        return one_per_space(self.schema, dims)

    def idle_options(self) -> dict[str, str]:
        return {}

    def call(self, inputs: ModelInputs, training: bool = False) -> Outputs:
        rows = [tf.reshape(inputs.vectors[name], (-1, WIDTH + 1)) for name in self.names]
        wide, first = zip(*(tf.split(row, [WIDTH, 1], axis=-1) for row in rows), strict=True)
        return Outputs({self.task: deepfm(tf.concat(wide, axis=1), tf.concat(first, axis=1), self)}, {}, {})


def deepfm(vectors: tf.Tensor, first: tf.Tensor, model: DeepFM) -> tf.Tensor:
    """Logits ``[batch, 1]`` of ``vectors [batch, fields * width]`` and ``first [batch, fields]``."""
    apart = tf.reshape(vectors, (-1, FIELDS, WIDTH))
    total = tf.reduce_sum(apart, axis=1)
    second = 0.5 * tf.reduce_sum(total * total - tf.reduce_sum(apart * apart, axis=1), axis=1, keepdims=True)
    hidden = vectors
    for layer in model.network:
        hidden = layer(hidden)
    return model.score(hidden) + second + tf.reduce_sum(first, axis=1, keepdims=True)


@dataclass(frozen=True)
class Data:
    """Rows of a case: ``ids [rows, fields]`` from 2 within each field's space, and ``label [rows]``."""

    size: int
    ids: NDArray[np.int32]
    label: NDArray[np.float32]


def data(total: int, rows: int) -> Data:
    """Ids of which the k-th is drawn about 1/k of the time."""
    draw = np.random.default_rng(0)
    size = total // FIELDS
    ids = 2 + np.floor(np.exp(draw.random((rows, FIELDS)) * np.log(size - 2))).astype(np.int32) - 1
    return Data(size, ids, draw.integers(0, 2, rows).astype(np.float32))


Run = Callable[[int], None]
"""Runs that many steps."""


def with_engine(
    rows: Data, batch: int, compile: str = "xla", optimizer: str = "catch_up_adam", exchange: Exchange | None = None
) -> tuple[Run, Callable[[int], None]]:
    """Steps of the engine, and its input side alone."""
    names = [f"field_{i}" for i in range(FIELDS)]
    half = FIELDS // 2
    features = [
        Feature(name, Kind.CATEGORICAL, Side.REQUEST if i < half else Side.ITEM, name) for i, name in enumerate(names)
    ]
    schema = FeatureSchema(tuple(features), dict.fromkeys(names, "int"))
    dims = dict.fromkeys(names, WIDTH + 1)
    engine = Engine(schema, "deepfm_benchmark", {}, dims=dims, compile=compile, optimizer=optimizer, exchange=exchange)
    engine.fresh(dict.fromkeys(names, rows.size))
    count = len(rows.label)
    nothing = np.zeros((count, 0), np.float32)
    day = DayArrays(
        layout=Layout.of(schema, {}),
        request_ids=rows.ids[:, :half],
        request_dense=nothing,
        item_ids=rows.ids[:, half:],
        item_dense=nothing,
        offsets=np.arange(count + 1),
        pair_item=np.arange(count, dtype=np.int32),
        pair_dense=nothing,
        label=rows.label.astype(np.int8)[:, None],
        weight=np.ones(count, np.float32),
        user=np.zeros(count, np.int32),
    )
    batches = DayBatches(engine, day, Settings(batch))
    bucket = batches.unique_bucket

    def some(steps: int) -> Iterator[Any]:
        return (batches.batch(n % len(batches)) for n in range(steps))

    packer = Packer()
    least = tuple(bucket[table.fused] for table in engine.fused)

    def feed(steps: int) -> None:
        for one in some(steps):
            packer.pack(one, engine.fused, least)

    return lambda steps: _drop(engine.train_epoch(some(steps), 1e-3, bucket)), feed


def with_fit(rows: Data, batch: int) -> Run:
    """Keras: an embedding and a first-order embedding a field, ``fit`` on ready batches."""
    ids = keras.Input((FIELDS,), dtype="int32")
    vectors, first = [], []
    for field in range(FIELDS):
        column = ids[:, field]
        vectors.append(keras.layers.Embedding(rows.size, WIDTH)(column))
        first.append(keras.layers.Embedding(rows.size, 1)(column))
    network = [keras.layers.Dense(n, "relu") for n in UNITS]
    stacked = [keras.layers.Lambda(lambda parts: tf.stack(parts, axis=1))(parts) for parts in (vectors, first)]
    score = keras.layers.Dense(1)
    hidden = keras.layers.Reshape((FIELDS * WIDTH,))(stacked[0])
    for layer in network:
        hidden = layer(hidden)
    order = keras.layers.Lambda(_orders)(stacked)
    model = keras.Model(ids, keras.layers.Add()([score(hidden), order]))
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=keras.losses.BinaryCrossentropy(from_logits=True))
    count = len(rows.label) // batch
    ready = tf.data.Dataset.from_tensor_slices(
        (
            rows.ids[: count * batch].reshape(count, batch, FIELDS),
            rows.label[: count * batch].reshape(count, batch, 1),
        )
    ).repeat()
    return lambda steps: _drop(model.fit(ready, steps_per_epoch=steps, epochs=1, verbose=0))


def _orders(parts: list[tf.Tensor]) -> tf.Tensor:
    vectors, first = parts
    total = tf.reduce_sum(vectors, axis=1)
    second = 0.5 * tf.reduce_sum(total * total - tf.reduce_sum(vectors * vectors, axis=1), axis=1, keepdims=True)
    return second + tf.reduce_sum(first, axis=1)


def with_floor(batch: int) -> Run:
    """The network alone, forward, backward (to its inputs too) and Adam, one XLA program, on fixed inputs."""
    shapes = list(zip((FIELDS * WIDTH, *UNITS), (*UNITS, 1), strict=True))
    draw = np.random.default_rng(0)
    weights = [tf.Variable(draw.normal(0, 0.05, shape).astype(np.float32)) for shape in shapes]
    weights += [tf.Variable(tf.zeros(shape[1])) for shape in shapes]
    slots = [(tf.Variable(tf.zeros_like(w)), tf.Variable(tf.zeros_like(w))) for w in weights]
    inputs = tf.constant(draw.normal(size=(batch, FIELDS * WIDTH)).astype(np.float32))
    label = tf.constant(draw.integers(0, 2, (batch, 1)).astype(np.float32))

    @tf.function(jit_compile=True)
    def step(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            hidden = x
            for i in range(len(shapes)):
                hidden = hidden @ weights[i] + weights[len(shapes) + i]
                hidden = tf.nn.relu(hidden) if i < len(shapes) - 1 else hidden
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, hidden))
        of_weights, of_inputs = tape.gradient(loss, (weights, x))
        for w, (m, v), g in zip(weights, slots, of_weights, strict=True):
            m.assign_add((g - m) * 0.1)
            v.assign_add((g * g - v) * 0.001)
            w.assign_sub(1e-3 * m / (tf.sqrt(v) + 1e-8))
        # Returned, or the compiler would leave it out.
        return loss, of_inputs

    def run(steps: int) -> None:
        for _ in range(steps):
            step(inputs, label)

    return run


def slope(run: Run, steps: int) -> float:
    """CPU milliseconds a step, between a run of ``steps`` and one of five times as many."""
    times = []
    for count in (steps, 5 * steps):
        start = time.process_time()
        run(count)
        times.append(time.process_time() - start)
    return 1e3 * (times[1] - times[0]) / (4 * steps)


def measure(runs: dict[str, Run], steps: dict[str, int], rounds: int) -> dict[str, float]:
    """Median slope of every run, rounds interleaved, after one warm-up that compiles."""
    for name, run in runs.items():
        run(steps[name])
    figures: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds):
        for name, run in runs.items():
            figures[name].append(slope(run, steps[name]))
        print(f"  round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return {name: statistics.median(values) for name, values in figures.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--case", action="append", help="ROWSxBATCH, e.g. 100000x128 (default: the three stated)")
    arguments = parser.parse_args()
    configure(THREADS)
    cases = tuple(tuple(int(n) for n in case.split("x")) for case in arguments.case) if arguments.case else CASES
    missed = 0

    def report(name: str, value: float, target: float, *, least: bool) -> None:
        nonlocal missed
        good = value >= target if least else value <= target
        missed += not good
        print(f"  {name:<44}{value:7.2f}   target {'>=' if least else '<='} {target:<5} {'ok' if good else 'MISSED'}")

    for total, batch in cases:
        rows = data(total, 64 * batch)
        engine, feed = with_engine(rows, batch)
        runs: dict[str, Run] = {
            "fit": with_fit(rows, batch),
            "engine": engine,
            "floor": with_floor(batch),
            "input": feed,
        }
        quick = max(10, 12_000 // batch)
        steps = {
            "fit": max(4, quick // (4 if total < 500_000 else 12)),
            "engine": quick,
            "floor": quick,
            "input": quick,
        }
        cpu = measure(runs, steps, arguments.rounds)
        print(
            f"{total} rows, batch {batch}: "
            + ", ".join(f"{name} {value:.2f}" for name, value in cpu.items())
            + f" CPU ms, load {os.getloadavg()[0]:.1f}"
        )
        if (total, batch) in TARGETS:
            report("fit / engine, CPU", cpu["fit"] / cpu["engine"], TARGETS[total, batch], least=True)
        if (total, batch) == FLOOR_CASE:
            report("speed of the floor, share", cpu["floor"] / cpu["engine"], FLOOR_TARGET, least=True)
        report("input side, share of the step", cpu["input"] / cpu["engine"], INPUT_TARGET, least=False)
        keras.backend.clear_session()
    if not arguments.case:
        small, big = 100_000, 1_000_000
        both = {str(total): with_engine(data(total, 64 * 128), 128)[0] for total in (small, big)}
        cpu = measure(both, dict.fromkeys(both, 100), arguments.rounds)
        print(f"from {small} to {big} rows, batch 128: " + ", ".join(f"{v:.2f}" for v in cpu.values()) + " CPU ms")
        report("cost of a step", cpu[str(big)] / cpu[str(small)], FLAT_TARGET, least=False)
    return 1 if missed else 0


def _drop(result: object) -> None:
    del result


if __name__ == "__main__":
    sys.exit(main())
