"""Values as fields."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.interactions.value_vectors import ValueVectors


def test_a_field_is_the_sum_of_its_values_times_their_vectors() -> None:
    layer = ValueVectors(name="vectors")
    layer.fields, layer.width = (((("age", 1), ("age missing", 1)),), ((("price", 1),), (("rank", 1),))), 2
    request, item = tf.constant([[2.0, 1.0]]), tf.constant([[[3.0, 4.0], [0.0, 5.0]]])
    assert [each.shape.as_list() for each in layer(request, item)] == [[1, 2], [1, 2, 4]]
    assert np.count_nonzero(layer.kernel) == 0
    layer.kernel.assign([[1.0, 10.0], [100.0, 1000.0], [1.0, 2.0], [3.0, 4.0]])
    of_request, of_item = layer(request, item)
    assert of_request.numpy().tolist() == [[102.0, 1020.0]]
    assert of_item.numpy().tolist() == [[[3.0, 6.0, 12.0, 16.0], [0.0, 0.0, 15.0, 20.0]]]
    rows = (("age", 1), ("age missing", 1), ("price", 1), ("rank", 1))
    assert layer.weight_axes == {"kernel": (rows, None)}


def test_a_side_may_have_no_values() -> None:
    layer = ValueVectors(name="vectors")
    layer.fields, layer.width = ((), ((("price", 1),),)), 3
    assert [each.shape.as_list() for each in layer(tf.zeros((2, 0)), tf.ones((2, 5, 1)))] == [[2, 0], [2, 5, 3]]
