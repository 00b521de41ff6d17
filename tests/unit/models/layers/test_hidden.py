"""Hidden layers without a score."""

from __future__ import annotations

import tensorflow as tf

from models.layers.hidden import Hidden


def test_the_last_layer_is_activated_too() -> None:
    layer = Hidden((2, 1), "relu", name="deep")
    request, item = tf.constant([[1.0]]), tf.constant([[[2.0], [3.0]]])
    assert layer(request, item).shape == (1, 2, 1)
    first, bias, second, end = layer.trainable_variables
    first.assign([[1.0, 0.0], [0.0, 1.0]])
    bias.assign([0.5, 0.0])
    second.assign([[1.0], [-1.0]])
    end.assign([1.0])
    # 1.5 - 2 + 1, and 1.5 - 3 + 1 below zero
    assert layer(request, item).numpy().tolist() == [[[0.5], [0.0]]]
    assert layer.reading((("user", 1), ("ad", 1))).layers.weight_axes == {"kernel": ((("user", 1), ("ad", 1)), None)}
