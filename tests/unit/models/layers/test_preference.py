from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.layers.preference import Preference
from models.randomness import drawn_at

VECTORS = tf.constant([[1.0, 2.0, 5.0], [3.0, 4.0, 7.0]])
KNOWN = tf.constant([[True, True, True], [True, True, False]])


def test_what_is_not_known_is_zero_and_nothing_is_dropped_where_it_is_asked() -> None:
    layer = Preference(0.9, name="preference")
    np.testing.assert_array_equal(layer(VECTORS, KNOWN), [[1, 2, 5], [3, 4, 0]])


def test_a_row_is_dropped_as_a_whole_and_nothing_is_rescaled() -> None:
    layer, rows = Preference(0.5, name="preference"), tf.ones((4000, 3))
    with drawn_at(1, tf.constant(3)):
        kept = layer(rows, tf.ones_like(rows, tf.bool), training=True).numpy()
    assert set(kept.sum(axis=1)) == {0.0, 3.0}
    assert kept[:, 0].mean() == pytest.approx(0.5, abs=0.03)


def test_the_mean_is_of_what_is_known_whether_dropped_or_not() -> None:
    layer = Preference(0.999, "mean", momentum=0.75, name="preference")
    with drawn_at(1, tf.constant(3)):
        dropped = layer(VECTORS, KNOWN, training=True)
    # A quarter of the means 2, 3 and 5, of which the last is of one row.
    np.testing.assert_allclose(dropped, [[0.5, 0.75, 1.25]] * 2)
    np.testing.assert_allclose(layer(VECTORS, KNOWN), [[1, 2, 5], [3, 4, 1.25]])
