"""Weights added up; golden numbers stand in test_golden."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.interactions.linear import Linear, ValueWeights


def test_ids_weights_of_a_request_are_added_to_those_of_each_candidate() -> None:
    layer = Linear(2, name="linear")
    layer.bias.assign([0.5, -0.5])
    request = tf.constant([[[1.0, 10.0], [2.0, 20.0]]])
    item = tf.constant([[[[3.0, 30.0]], [[4.0, 40.0]], [[5.0, 50.0]]]])
    assert layer(request, item).numpy().tolist() == [[[6.5, 59.5], [7.5, 69.5], [8.5, 79.5]]]


def test_a_side_may_have_no_ids() -> None:
    layer = Linear(1, name="linear")
    found = layer(tf.ones((2, 3, 1)), tf.zeros((2, 1, 0, 1)))
    assert found.numpy().tolist() == [[[3.0]], [[3.0]]]


def test_value_weights_are_zero_at_first_and_say_what_they_are_of() -> None:
    layer = ValueWeights(1, name="values")
    request, item = tf.constant([[2.0]]), tf.constant([[[3.0, 4.0], [5.0, 6.0]]])
    assert layer(request, item).numpy().tolist() == [[[0.0], [0.0]]]
    layer.kernel.assign([[1.0], [10.0], [100.0]])
    np.testing.assert_array_equal(layer(request, item)[0, :, 0], [432.0, 652.0])
    layer.reads = (("a", 1), ("b", 2))
    assert layer.weight_axes == {"kernel": ((("a", 1), ("b", 2)), None)}
