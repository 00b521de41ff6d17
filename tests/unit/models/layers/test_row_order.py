from __future__ import annotations

import tensorflow as tf

from models.layers.row_order import in_order, last_real


def test_the_last_real_step_counts_holes_before_it() -> None:
    mask = tf.constant([[True, False, True, False], [False] * 4, [True] * 4])
    assert last_real(mask).numpy().tolist() == [3, 0, 4]


def test_rows_and_what_is_wanted_of_them_are_put_back() -> None:
    order = tf.constant([2, 0, 1])
    rows = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(rows)
        ordered = in_order(rows, order, tf.argsort(order))
        loss = tf.reduce_sum(ordered * [10.0, 20.0, 30.0])
    assert ordered.numpy().tolist() == [3.0, 1.0, 2.0]
    assert tape.gradient(loss, rows).numpy().tolist() == [20.0, 30.0, 10.0]
