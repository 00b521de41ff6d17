"""Field-aware products by hand; golden numbers stand in test_golden."""

from __future__ import annotations

import tensorflow as tf

from models.interactions.ffm import field_aware


def test_each_pair_multiplies_what_one_has_for_the_other_once() -> None:
    # Row by row: what a field has for each one; what it has for itself counts for nothing.
    vectors = tf.constant([[[[9.0], [1.0], [2.0]], [[3.0], [9.0], [4.0]], [[5.0], [6.0], [9.0]]]])
    assert field_aware(vectors).numpy().tolist() == [[1.0 * 3.0 + 2.0 * 5.0 + 4.0 * 6.0]]


def test_factors_stay_apart() -> None:
    vectors = tf.constant([[[[[0.0, 0.0], [1.0, 2.0]], [[3.0, 4.0], [0.0, 0.0]]]]])
    assert field_aware(vectors).numpy().tolist() == [[[3.0, 8.0]]]
