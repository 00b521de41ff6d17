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
        assert encoder.read(History(STEPS, MASK, target), False).numpy().tolist() == [told, [0.0, 0.0]]
