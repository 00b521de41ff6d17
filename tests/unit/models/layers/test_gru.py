from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.gru import GRU, Bidirectional

DRAW = np.random.default_rng(0)
STEPS = tf.constant(DRAW.normal(size=(3, 4, 2)), tf.float32)
MASK = tf.constant([[True, True, True, True], [True, False, True, False], [False] * 4])


@pytest.mark.parametrize("reset", ["after", "before"])
def test_with_the_same_weights_it_is_keras_gru(reset: str) -> None:
    layer = GRU(3, reset, name="gru")
    out = layer(STEPS, MASK)
    theirs = keras.layers.GRU(3, reset_after=reset == "after", return_sequences=True)
    theirs.build(STEPS.shape)
    assert [w.shape for w in layer.weights] == [w.shape for w in theirs.weights]
    theirs.set_weights([w.numpy() for w in layer.weights])
    np.testing.assert_allclose(out, theirs(STEPS, mask=MASK), atol=1e-6)


def test_the_second_way_is_the_first_one_over_the_steps_turned_round() -> None:
    layer = Bidirectional(3, name="both")
    states, ends = layer(STEPS, MASK)
    turned = layer.backwards(tf.reverse(STEPS, [1]), tf.reverse(MASK, [1]))
    np.testing.assert_array_equal(states[..., 3:], turned[:, ::-1])
    np.testing.assert_array_equal(states[..., :3], layer.forwards(STEPS, MASK))
    # The row with holes: after the last real step, and after the first.
    np.testing.assert_array_equal(ends[1], np.concatenate([states[1, 2, :3], states[1, 0, 3:]]))
    assert not np.any(ends[2])


def test_a_kernel_says_what_its_rows_are_of() -> None:
    layer = GRU(3, name="gru")
    layer.reads = (("ad", 2),)
    layer(STEPS, MASK)
    assert layer.weight_axes == {"kernel": ((("ad", 2),), None)}
