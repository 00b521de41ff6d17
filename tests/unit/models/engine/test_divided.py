"""Steps of which each trainer takes a part: two programs come to what one comes to, and what cannot be divided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.engine.batching import DayBatches
from models.engine.engine import Engine
from models.engine.examples import Settings
from models.randomness import Part
from models.schema import DayArrays, FeatureSchema
from models.tasks import Task
from tests.unit.models.school import SIZES

Make = Callable[..., Engine]


class Alone:
    """The only trainer: the sum over all is its own."""

    part = Part()

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def sum(self, values: tf.Tensor) -> tf.Tensor:
        self.lengths.append(int(values.shape[0]))
        return tf.identity(values)


@pytest.mark.parametrize("optimizer", ["catch_up_adam", "dense_adam"])
def test_gradients_that_are_handed_over_between_two_programs_move_as_those_of_one(
    optimizer: str, schema: FeatureSchema, day: DayArrays
) -> None:
    """What is handed over: the gradient of each distinct row and weight, and the loss."""
    told: dict[bool, np.ndarray] = {}
    states, alone = {}, Alone()
    for divided in (False, True):
        engine = Engine(
            schema, "pooled", {"units": [4]}, dims=dict.fromkeys(SIZES, 4), compile="graph", optimizer=optimizer,
            exchange=alone if divided else None,
        )  # fmt: skip
        engine.fresh(SIZES)
        batches = DayBatches(engine, day, Settings(32))
        told[divided] = engine.train_epoch(batches, 1e-2, batches.unique_bucket)
        states[divided] = engine.state()
    weights = sum(int(np.prod(w.shape)) for w in engine._dense.moved)
    rows = sum(batches.unique_bucket[table.fused] * table.width for table in engine.fused)
    assert alone.lengths == [rows + weights + 1]
    np.testing.assert_allclose(told[True], told[False], rtol=1e-6)
    for name, value in states[False].items():
        np.testing.assert_allclose(states[True][name], value, rtol=1e-5, atol=1e-7, err_msg=name)


@pytest.mark.parametrize(
    ("model", "options", "settings", "told"),
    [
        ("dropoutnet", {}, {"tasks": (Task(loss="in_batch"),)}, "loss 'in_batch' sets each row against the others"),
        ("pooled", {}, {"tasks": (Task(),), "pairwise": 0.5}, "`pairwise` compares the rows of a user"),
        ("din", {"activation": "dice"}, {"tasks": (Task(),)}, "keeps statistics of the batch .*dice_1/moving_mean"),
    ],
)
def test_what_hangs_on_the_other_rows_of_a_batch_is_refused(
    model: str, options: dict[str, Any], settings: dict[str, Any], told: str, make_engine: Make
) -> None:
    make_engine(model, options, **settings)
    with pytest.raises(ValueError, match=told):
        make_engine(model, options, **settings, parts=2)
