"""Cost of a training step of each model of interactions, beside its own matrix products.

    python -m benchmarks.interactions_step [--rounds 5] [--batch 1024] [--model dcn …]

Labelled rows as Criteo's: 26 ids (10⁵ rows of tables in all, width 8; `ffm` 4) and 13 numbers, a network 128-64 on
top, every other option at its default; ids skewed log-uniformly, labels random: speed only. CPU milliseconds of all
threads as slopes (``benchmarks.step``), medians of rounds of a model and its floor in turns. The floor are its matrix
products and those of their gradients, each in one call, in one XLA program; a model may take 1.15 times its floor and
what `deepfm` takes beside its own: reading rows, adding up gradients, writing. MISSED where it takes more.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.products import products_alone
from benchmarks.step import THREADS, Run, measure
from models.engine.batching import DayBatches
from models.engine.engine import Engine, configure
from models.engine.examples import Settings
from models.schema import DayArrays, Feature, FeatureSchema, Kind, Layout, Side

IDS, NUMBERS, ROWS, WIDTH, UNITS = 26, 13, 100_000, 8, (128, 64)
FIELDS = IDS + NUMBERS
BESIDE = IDS * WIDTH + NUMBERS
"""Values that a network reads where numbers are no fields."""
WITH_UNITS = ("dnn", "wide_deep", "deepfm", "dcn", "dcn_v2", "xdeepfm", "dlrm", "deepfefm", "gate_dnn")
MODELS = ("deepfm", "lr", "fm", "ffm", *(name for name in WITH_UNITS if name != "deepfm"), "autoint")
MOST = 1.15
Product = tuple[int, int, int, int]
"""How many products, and of each the rows, inputs and outputs."""


def schema() -> FeatureSchema:
    ids = [Feature(f"c{n}", Kind.CATEGORICAL, Side.REQUEST, f"c{n}") for n in range(IDS)]
    numbers = [Feature(f"i{n}", Kind.DENSE, Side.REQUEST) for n in range(NUMBERS)]
    return FeatureSchema((*ids, *numbers), {feature.name: "int" for feature in ids})


def rows(count: int) -> DayArrays:
    """Labelled rows: each a request of one candidate, of which nothing is known."""
    draw, size = np.random.default_rng(0), ROWS // IDS
    ids = 2 + np.floor(np.exp(draw.random((count, IDS)) * np.log(size - 2))).astype(np.int32) - 1
    one = np.zeros(count, np.int32)
    return DayArrays(
        layout=Layout.of(schema(), {}), request_ids=ids, request_dense=draw.normal(size=(count, NUMBERS)).astype("f4"),
        item_ids=np.zeros((1, 0), np.int32), item_dense=np.zeros((1, 0), np.float32), offsets=np.arange(count + 1),
        pair_item=one, pair_dense=np.zeros((count, 0), np.float32),
        label=draw.integers(0, 2, (count, 1)).astype(np.int8), weight=np.ones(count, np.float32),
        user=np.arange(count, dtype=np.int32),
    )  # fmt: skip


def with_engine(model: str, batch: int) -> Run:
    """Steps of a model, from the day's arrays on."""
    known = schema()
    options: dict[str, Any] = {"units": UNITS} if model in WITH_UNITS else {}
    width, sizes = 4 if model == "ffm" else WIDTH, dict.fromkeys(known.spaces, ROWS // IDS)
    engine = Engine(known, model, options, dims=dict.fromkeys(known.spaces, width))
    engine.fresh(sizes)
    batches = DayBatches(engine, rows(32 * batch), Settings(batch))
    bucket = batches.unique_bucket

    def run(steps: int) -> None:
        engine.train_epoch((batches.batch(n % len(batches)) for n in range(steps)), 1e-3, bucket)

    return run


def products(model: str, batch: int) -> list[Product]:
    """The matrix products of a step forward."""

    def tower(width: int) -> list[Product]:
        return [(1, batch, given, told) for given, told in zip((width, *UNITS), (*UNITS, 1), strict=True)]

    pairs, values = FIELDS * (FIELDS - 1) // 2, FIELDS * WIDTH
    first, second = 128, 64  # maps of xDeepFM's two layers, and what goes on of the first
    heads = 2 * batch
    attention = [*4 * [(1, batch * FIELDS, WIDTH, 32)], *4 * [(1, batch * FIELDS, 32, 32)],
                 *2 * [(heads, FIELDS, 16, FIELDS), (heads, FIELDS, FIELDS, 16)]]  # fmt: skip
    of: dict[str, list[Product]] = {
        "lr": [], "fm": [], "ffm": [], "dnn": tower(BESIDE), "wide_deep": tower(BESIDE), "deepfm": tower(values),
        "dcn": [*tower(BESIDE)[:2], (1, batch, BESIDE, 3), (1, batch, BESIDE + UNITS[-1], 1)],
        "dcn_v2": [*tower(BESIDE)[:2], *3 * [(1, batch, BESIDE, BESIDE)], (1, batch, BESIDE + UNITS[-1], 1)],
        "xdeepfm": [*tower(values), (1, batch * WIDTH, FIELDS * FIELDS, first),
                    (1, batch * WIDTH, second * FIELDS, first)],
        "dlrm": [(1, batch, NUMBERS, 64), (1, batch, 64, WIDTH), (batch, IDS + 1, WIDTH, IDS + 1),
                 *tower(WIDTH + (IDS + 1) * IDS // 2)],
        "deepfefm": [*tower(values + pairs), *((1, batch, WIDTH, others * WIDTH) for others in range(1, FIELDS))],
        "gate_dnn": [*tower(BESIDE), *((1, batch, width, width) for width in UNITS)],
        "autoint": [*attention, (1, batch, FIELDS * 32, 1)],
    }  # fmt: skip
    return of[model]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--model", action="append", choices=MODELS[1:], help="of these alone, beside deepfm")
    parser.add_argument("--batch", type=int, default=1024, help="rows of a step (default 1024)")
    given = parser.parse_args()
    configure(THREADS)
    steps, missed, beside = max(8, 8_000 // given.batch), 0, 0.0
    for name in ("deepfm", *(given.model or MODELS[1:])):
        runs = {"engine": with_engine(name, given.batch), "floor": products_alone(products(name, given.batch))}
        cpu = measure(runs, dict.fromkeys(runs, steps), given.rounds)
        own, floor = cpu["engine"], cpu["floor"]
        if name == "deepfm":
            beside = own - floor
            load = os.getloadavg()[0]
            print(f"batch {given.batch}, load {load:.1f}; CPU ms a step, beside deepfm's products {beside:.2f}")
        share = own / (floor + beside)
        missed += share > MOST
        print(f"  {name:<12}{own:8.2f}   products {floor:7.2f}   of both {share:5.2f} (target ≤ {MOST})"
              f"{': MISSED' if share > MOST else ''}", flush=True)  # fmt: skip
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
