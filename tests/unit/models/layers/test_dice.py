from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.layers.dice import Dice

VALUES = tf.constant([[1.0], [3.0], [8.0]])
MASK = tf.constant([True, True, False])


def sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def test_in_training_the_bend_follows_the_real_values_of_the_batch() -> None:
    # Mean 2, variance 1: values 1 and 3 are one deviation off; `a` is 0 at first.
    out = Dice(epsilon=0.0, name="dice")(VALUES, MASK, training=True).numpy()[:, 0]
    np.testing.assert_allclose(out, [1.0 * sigmoid(-1), 3.0 * sigmoid(1), 0.0], rtol=1e-6)


def test_what_is_scored_hangs_on_the_moving_statistics_alone() -> None:
    layer = Dice(epsilon=0.0, momentum=0.5, name="dice")
    layer(VALUES, MASK, training=True)
    # Half of 0 and 2; half of 1 and 1.
    assert [w.numpy().tolist() for w in layer.non_trainable_weights] == [[1.0], [1.0]]
    layer.alpha.assign([2.0])
    p = sigmoid(7.0)
    np.testing.assert_allclose(layer(VALUES[2:]).numpy(), [[(p + (1 - p) * 2) * 8]], rtol=1e-6)
    assert [w.numpy().tolist() for w in layer.non_trainable_weights] == [[1.0], [1.0]]


def test_a_batch_without_real_values_moves_nothing() -> None:
    layer = Dice(momentum=0.5, name="dice")
    assert not layer(VALUES, tf.zeros(3, tf.bool), training=True).numpy().any()
    assert [w.numpy().tolist() for w in layer.non_trainable_weights] == [[0.0], [1.0]]
