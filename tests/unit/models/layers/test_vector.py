from __future__ import annotations

import math

import tensorflow as tf

from models.layers.vector import with_flag


def test_what_is_missing_is_zeros_and_a_flag() -> None:
    found = with_flag(tf.constant([[[1.0, -2.0], [math.nan, math.nan]], [[3.0, math.nan], [0.0, 0.0]]]))
    assert found.numpy().tolist() == [[[1.0, -2.0, 0.0], [0.0, 0.0, 1.0]], [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]]


def test_no_gradient_is_lost_to_what_is_missing() -> None:
    vector = tf.constant([[math.nan, 2.0], [1.0, 2.0]])
    with tf.GradientTape() as tape:
        tape.watch(vector)
        total = tf.reduce_sum(with_flag(vector)[..., :2] * 3.0)
    assert tape.gradient(total, vector).numpy().tolist() == [[0.0, 0.0], [3.0, 3.0]]
