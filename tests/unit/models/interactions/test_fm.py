"""Products of pairs by hand; golden numbers stand in test_golden."""

from __future__ import annotations

import tensorflow as tf

from models.interactions.fm import bi_interaction


def test_pairs_within_and_across_the_sides_are_counted_once() -> None:
    request, item = tf.constant([[[1.0], [2.0]]]), tf.constant([[[[3.0], [4.0]], [[5.0], [0.0]]]])
    # 1·2 + (1 + 2)(3 + 4) + 3·4, and 1·2 + (1 + 2)·5
    assert bi_interaction(request, item).numpy().tolist() == [[[35.0], [17.0]]]


def test_one_field_has_no_pair() -> None:
    assert bi_interaction(tf.ones((1, 1, 2)), tf.zeros((1, 3, 0, 2))).numpy().tolist() == [[[0.0, 0.0]] * 3]
