"""A step's losses and gradients: those of the parts of a batch sum up to those of all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.engine.batching import DayBatches
from models.engine.engine import Engine
from models.engine.examples import Settings
from models.engine.lowering import Lowered, Lowering
from models.engine.packing import Batch, Packer, own_rows
from models.randomness import Part
from models.schema import DayArrays
from models.tasks import Score, Task

Make = Callable[..., Engine]
TWO = (Task("click"), Task("buy", weight=0.5, given="click"))


def two_tasks(day: DayArrays) -> DayArrays:
    """Of each second click it is not known whether something was bought."""
    click = np.maximum(day.label[:, 0], 0)
    bought = np.where(click == 1, np.arange(len(click)) % 3 - 1, -1)
    return replace(day, label=np.stack([click, bought], axis=1).astype(np.int8), tasks=("click", "buy"))


def lowered(engine: Engine, batch: Batch, part: Part, score: Score | None = None) -> tuple[Lowered, tuple[str, ...]]:
    """Of the first step on a batch, or a part of it, from the engine's weights."""
    packed, padding = Packer().pack(batch, engine.fused, (0,) * len(engine.fused))
    ints, floats = own_rows(batch, packed, part)
    lists = tf.split(tf.constant(ints), [*padding, len(batch.ints) // part.of])
    variables = engine._steps.tables
    embedded = {f: tf.gather(table.w, rows) for (f, table), rows in zip(variables.items(), lists[:-1], strict=True)}
    lowering = Lowering(
        engine.model, engine._dense.moved, engine.tasks, pairwise=0.0, seed=engine.seed, score=score, part=part
    )
    return lowering.of(batch, embedded, lists[-1], tf.constant(floats), tf.constant(1)), lowering.parts


SCORE = Score({"click": 1.0, "buy": 1.0}, 0.5)
SAME = [
    ("pooled", {}, {"tasks": (Task(),)}),
    ("pooled", {"dropout": 0.3}, {"tasks": (Task(),)}),
    ("pooled", {}, {"tasks": (Task(loss="softmax"),)}),
    ("mmoe", {"experts": 2}, {"tasks": TWO}),
    ("mmoe", {"experts": 2, "weighting": "learnt"}, {"tasks": TWO, "score": SCORE}),
    ("esmm", {}, {"tasks": TWO}),
]
SIZE = 16


@pytest.mark.parametrize(("model", "options", "settings"), SAME)
@pytest.mark.parametrize("of", [2, 4])
def test_parts_of_a_batch_sum_up_to_it(
    model: str, options: dict[str, Any], settings: dict[str, Any], of: int, make_engine: Make, day: DayArrays
) -> None:
    """The last batch: of its 16 rows some weigh a half, and the last, a part's or more, are padding."""
    engine = make_engine(model, options, **settings)
    weight = np.where(np.arange(day.requests) % 2, 0.5, 1.0).astype(np.float32)
    ranked = settings["tasks"][0].loss == "softmax"
    rows = replace(day, weight=weight) if len(settings["tasks"]) == 1 else replace(two_tasks(day), weight=weight)
    batches = DayBatches(engine, rows, Settings(SIZE, 3 if ranked else None))
    batch = batches.batch(len(batches) - 1)
    assert 0 < (batch.weight > 0).sum() < SIZE
    score = settings.get("score")
    whole, parts = lowered(engine, batch, Part(), score)
    of_parts = [lowered(engine, batch, Part(number, of), score) for number in range(of)]
    assert {names for _, names in of_parts} == {parts}
    np.testing.assert_allclose(sum(each.told.numpy() for each, _ in of_parts), whole.told, rtol=1e-5, atol=1e-6)
    for field in ("of_rows", "of_weights"):
        for place, expected in enumerate(getattr(whole, field)):
            total = sum(np.asarray(getattr(each, field)[place]) for each, _ in of_parts)
            np.testing.assert_allclose(total, expected, rtol=1e-4, atol=1e-6, err_msg=f"{field} {place}")
