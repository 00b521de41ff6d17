from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.layers.lstm import BidirectionalLSTM

STEPS = tf.constant(np.random.default_rng(0).normal(size=(2, 4, 3)), tf.float32)


def test_masked_steps_are_skipped_both_ways() -> None:
    layer = BidirectionalLSTM(2, name="lstm")
    forwards, backwards = layer(STEPS, tf.constant([[False, True, False, True], [False] * 4]))
    short = tf.gather(STEPS, [1, 3], axis=1)
    there, back = layer(short, tf.constant([[True, True]] * 2))
    np.testing.assert_allclose(forwards[0], [[0, 0], there[0, 0], there[0, 0], there[0, 1]], atol=1e-6)
    np.testing.assert_allclose(backwards[0], [back[0, 0], back[0, 0], back[0, 1], back[0, 1]], atol=1e-6)
    assert not forwards[1].numpy().any()
    assert not backwards[1].numpy().any()


def test_a_state_is_as_wide_as_a_step_unless_it_is_said() -> None:
    assert BidirectionalLSTM(None, name="lstm")(STEPS, tf.ones((2, 4), tf.bool))[0].shape == (2, 4, 3)
