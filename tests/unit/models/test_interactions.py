"""What each order of interactions can see: labels that are the parity of two ids, or of three, and nothing apart."""

from __future__ import annotations

from functools import cache, reduce
from itertools import product
from operator import xor

import numpy as np
import pytest

from models.engine.batching import DayBatches, score_day
from models.engine.engine import Engine, configure
from models.engine.examples import Settings
from models.schema import FIRST, DayArrays, Feature, FeatureSchema, Kind, Layout, Side

configure(2)
FIELDS = ("a", "b", "c")
SCHEMA = FeatureSchema(
    tuple(Feature(name, Kind.CATEGORICAL, Side.REQUEST, name) for name in FIELDS), dict.fromkeys(FIELDS, "int")
)
EVERY = np.array(list(product((0, 1), repeat=3)), np.int32)


def parity(order: int, copies: int = 32) -> DayArrays:
    """Every combination of the three fields' two ids as often; the label is the parity of the first ``order``."""
    bits = np.random.default_rng(0).permutation(np.tile(EVERY, (copies, 1)))
    count = len(bits)
    nothing, one = np.zeros((count, 0), np.float32), np.zeros(count, np.int32)
    return DayArrays(
        layout=Layout.of(SCHEMA, {}), request_ids=bits + FIRST, request_dense=nothing,
        item_ids=np.zeros((1, 0), np.int32), item_dense=nothing[:1], offsets=np.arange(count + 1), pair_item=one,
        pair_dense=nothing, label=reduce(xor, bits[:, :order].T).astype(np.int8)[:, None],
        weight=np.ones(count, np.float32), user=one,
    )  # fmt: skip


@cache
def engine_of(model: str) -> Engine:
    options = {} if model in ("lr", "fm") else {"units": [16]}
    return Engine(SCHEMA, model, options, dims=dict.fromkeys(FIELDS, 4), compile="graph", seed=1)


def apart(model: str, order: int, epochs: int) -> float:
    """How far a trained model's probabilities of odd combinations are above those of even ones, 0 … 1 at best."""
    engine, day = engine_of(model), parity(order)
    engine.fresh(dict.fromkeys(FIELDS, FIRST + 2))
    batches = DayBatches(engine, day, Settings(64))
    for _ in range(epochs):
        engine.train_epoch(batches, 3e-2, batches.unique_bucket)
    probability = 0.5 + np.tanh(score_day(engine, day)[:, 0] / 2) / 2
    odd = day.label[:, 0] == 1
    return float(probability[odd].mean() - probability[~odd].mean())


@pytest.mark.parametrize(
    ("model", "order", "sees"),
    [
        ("lr", 2, False), ("fm", 2, True), ("fm", 3, False), ("dnn", 3, True), ("dcn", 3, True), ("xdeepfm", 3, True),
    ],
)  # fmt: skip
def test_a_model_sees_its_orders_and_no_higher_one(model: str, order: int, sees: bool) -> None:
    found = apart(model, order, 60 if sees else 20)
    assert found > 0.9 if sees else abs(found) < 0.1
