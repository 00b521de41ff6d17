"""Products of pairs by hand; golden numbers stand in test_golden."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.interactions.dot import AsWide, pair_names, pair_products

VECTORS = tf.constant([[[1.0, 0.0], [2.0, 1.0], [3.0, 5.0]]])


def test_each_field_is_multiplied_by_those_before_it() -> None:
    assert pair_products(VECTORS, with_self=False).numpy().tolist() == [[2.0, 3.0, 11.0]]
    assert pair_products(VECTORS, with_self=True).numpy().tolist() == [[1.0, 2.0, 5.0, 3.0, 11.0, 34.0]]
    assert pair_names(["b", "a", "c"], with_self=False) == ("a . b", "b . c", "a . c")
    assert pair_names(["b", "a"], with_self=True) == ("b . b", "a . b", "a . a")


def test_the_gradient_is_that_of_the_products() -> None:
    with tf.GradientTape() as tape:
        tape.watch(VECTORS)
        told = tf.reduce_sum(pair_products(VECTORS, with_self=True) * tf.constant([1.0, 10.0, 0.0, 100.0, 0.0, 0.0]))
    # a·a + 10 a·b + 100 a·c
    expected = [[[2.0 + 20.0 + 300.0, 10.0 + 500.0], [10.0, 0.0], [100.0, 0.0]]]
    np.testing.assert_allclose(tape.gradient(told, VECTORS), expected)


def test_a_layer_is_as_wide_as_it_is_told() -> None:
    layer = AsWide("relu", name="end")
    layer.width = 2
    layer(tf.ones((1, 3)))
    layer.kernel.assign([[1.0, -1.0]] * 3)
    assert layer(tf.ones((1, 3))).numpy().tolist() == [[3.0, 0.0]]
