from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.layers.dropout import Dropout
from models.randomness import drawn_at

VALUES = tf.fill((200, 50), 3.0)


def test_a_share_is_left_out_and_the_rest_scaled_so_that_the_mean_stays() -> None:
    with drawn_at(1, tf.constant(7)):
        dropped = Dropout(0.25, name="drop")(VALUES, training=True).numpy()
    assert set(np.unique(dropped)) == {0.0, 4.0}
    # 10,000 draws: the share is within four standard deviations, .0173.
    assert abs((dropped == 0).mean() - 0.25) < 0.0174


def test_steps_leave_out_others_and_the_same_step_the_same() -> None:
    layer = Dropout(0.5, name="drop")
    with drawn_at(1, tf.constant(7)):
        first, again = layer(VALUES, training=True).numpy(), layer(VALUES, training=True).numpy()
    with drawn_at(1, tf.constant(8)):
        later = layer(VALUES, training=True).numpy()
    np.testing.assert_array_equal(first, again)
    assert 0.4 < (first != later).mean() < 0.6


def test_nothing_is_left_out_after_training_or_at_a_rate_of_zero() -> None:
    np.testing.assert_array_equal(Dropout(0.5, name="drop")(VALUES, training=False), VALUES)
    np.testing.assert_array_equal(Dropout(0.0, name="drop")(VALUES, training=True), VALUES)


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_a_rate_that_leaves_nothing_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="expected a number from 0 to below 1"):
        Dropout(rate, name="drop")
