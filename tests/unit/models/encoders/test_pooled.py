"""The pooled encoder: the sum or mean of a history's steps, or the last of them."""

from __future__ import annotations

import math

import pytest
import tensorflow as tf

from models.encoders.history import History, Negatives
from models.encoders.pooled import Pooled, PooledOptions
from tests.unit.models.histories import CLICKED

STEPS = tf.constant([[[1.0, 5.0], [3.0, 7.0], [9.0, 9.0]], [[9.0, 9.0]] * 3])
MASK = tf.constant([[True, True, False], [False] * 3])


@pytest.mark.parametrize(
    ("pooling", "told"),
    [("mean", [2.0, 6.0]), ("sum", [4.0, 12.0]), ("last", [3.0, 7.0])],
)
def test_what_a_history_tells_whoever_is_looked_at(pooling: str, told: list[float]) -> None:
    encoder = Pooled(PooledOptions.model_validate({"pooling": pooling}), CLICKED, name="seq_clicks")
    assert encoder.layers == []
    for target in (None, tf.zeros((2, 1, 2)), tf.ones((2, 4, 2))):
        assert encoder.read(History(STEPS, MASK, target), False).told.numpy().tolist() == [told, [0.0, 0.0]]


def test_older_steps_weigh_less() -> None:
    # A half-life of 2 days: of steps 1, 3 (and 9, which is none) that are 4 and 2 days old, 1/4 and 1/2.
    ages = tf.constant([[4.0, 2.0, 0.0], [0.0] * 3])
    history = History(STEPS, MASK, None, ages)
    found = {
        pooling: Pooled(PooledOptions(pooling=pooling, half_life=2.0), CLICKED, name="seq")
        .read(history, False)
        .told.numpy()
        for pooling in ("sum", "mean")
    }
    assert found["sum"].tolist() == [[1 / 4 + 3 / 2, 5 / 4 + 7 / 2], [0.0, 0.0]]
    assert found["mean"][0].tolist() == pytest.approx([(1 / 4 + 3 / 2) / 0.75, (5 / 4 + 7 / 2) / 0.75])
    assert found["mean"][1].tolist() == [0.0, 0.0]


def test_of_one_step_the_age_says_nothing() -> None:
    with pytest.raises(ValueError, match="`half_life` would have no effect: `pooling: last` reads one step"):
        Pooled(PooledOptions(pooling="last", half_life=2.0), CLICKED, name="seq")


def test_the_loss_of_next_steps_is_told_of_what_is_pooled_so_far_in_training_alone() -> None:
    """Steps 1 then 3 of one value, the negative of the second 2: the mean so far is 1; products 3 and 2."""
    negatives = Negatives(tf.constant([[[[9.0]], [[2.0]]]]), tf.constant([[[True], [True]]]))
    history = History(tf.constant([[[1.0], [3.0]]]), tf.constant([[True, True]]), None, negatives=negatives)
    encoder = Pooled(PooledOptions.model_validate({"next": {"weight": 0.25}}), CLICKED, name="seq")
    assert encoder.reads_negatives
    assert dict(encoder.read(history, False).losses) == {}
    told, losses = encoder.read(history, True)
    assert told.numpy().tolist() == [[2.0]]
    assert losses["next"].weight == 0.25
    assert float(losses["next"].value) == pytest.approx(math.log(1 + math.exp(-3)) + math.log(1 + math.exp(2)))


def test_a_network_that_training_alone_asks_is_built_whoever_asks() -> None:
    encoder = Pooled(PooledOptions.model_validate({"next": {"weight": 1.0, "units": [3]}}), CLICKED, name="seq")
    encoder.read(History(STEPS, MASK, None, parts=(("ad", 1), ("maker", 1))), False)
    assert [weight.shape for layer in encoder.layers for weight in layer.weights] == [(4, 3), (3,), (3, 1), (1,)]
    assert encoder.next_step is not None
    rows = [f"{what} of {part}" for what in ("state", "next step") for part in ("ad", "maker")]
    assert encoder.next_step.weight_axes == {"kernel": (tuple((row, 1) for row in rows), None)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"next": {"weight": 0.1}, "half_life": 2.0}, "the steps so far: leave out `half_life`"),
        ({"next": {"weight": 0.1}, "within": "mean"}, "the steps so far: leave out `within`"),
        ({"next": {"units": [3]}}, "`next.units` would have no effect: the loss has no `weight`"),
    ],
)
def test_what_the_loss_of_next_steps_cannot_go_with(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Pooled(PooledOptions.model_validate(options, strict=False), CLICKED, name="seq")
