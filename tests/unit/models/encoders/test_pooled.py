"""The pooled encoder: the sum or mean of a history's steps, or the last of them."""

from __future__ import annotations

import pytest
import tensorflow as tf

from models.encoders.history import History
from models.encoders.pooled import Pooled, PooledOptions

STEPS = tf.constant([[[1.0, 5.0], [3.0, 7.0], [9.0, 9.0]], [[9.0, 9.0]] * 3])
MASK = tf.constant([[True, True, False], [False] * 3])


@pytest.mark.parametrize(
    ("pooling", "told"),
    [("mean", [2.0, 6.0]), ("sum", [4.0, 12.0]), ("last", [3.0, 7.0])],
)
def test_what_a_history_tells_whoever_is_looked_at(pooling: str, told: list[float]) -> None:
    encoder = Pooled(PooledOptions.model_validate({"pooling": pooling}), name="seq_clicks")
    assert encoder.layers == []
    for target in (None, tf.zeros((2, 1, 2)), tf.ones((2, 4, 2))):
        assert encoder.read(History(STEPS, MASK, target), False).told.numpy().tolist() == [told, [0.0, 0.0]]


def test_older_steps_weigh_less() -> None:
    # A half-life of 2 days: of steps 1, 3 (and 9, which is none) that are 4 and 2 days old, 1/4 and 1/2.
    ages = tf.constant([[4.0, 2.0, 0.0], [0.0] * 3])
    history = History(STEPS, MASK, None, ages)
    found = {
        pooling: Pooled(PooledOptions(pooling=pooling, half_life=2.0), name="seq").read(history, False).told.numpy()
        for pooling in ("sum", "mean")
    }
    assert found["sum"].tolist() == [[1 / 4 + 3 / 2, 5 / 4 + 7 / 2], [0.0, 0.0]]
    assert found["mean"][0].tolist() == pytest.approx([(1 / 4 + 3 / 2) / 0.75, (5 / 4 + 7 / 2) / 0.75])
    assert found["mean"][1].tolist() == [0.0, 0.0]


def test_of_one_step_the_age_says_nothing() -> None:
    with pytest.raises(ValueError, match="`half_life` would have no effect: `pooling: last` reads one step"):
        Pooled(PooledOptions(pooling="last", half_life=2.0), name="seq")
