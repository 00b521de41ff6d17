from __future__ import annotations

import tensorflow as tf

from models.layers.query import Query


def test_a_target_becomes_as_wide_as_a_step_and_what_is_below_zero_is_bent() -> None:
    layer, target, steps = Query(name="query"), tf.constant([[[2.0], [-2.0]]]), tf.zeros((1, 3, 2))
    layer(target, steps)
    for weight, value in zip(layer.weights, ([[1.0, 3.0]], [0.0, 1.0], [0.5, 0.0]), strict=True):
        weight.assign(value)
    assert layer(target, steps).numpy().tolist() == [[[2.0, 7.0], [-1.0, 0.0]]]
