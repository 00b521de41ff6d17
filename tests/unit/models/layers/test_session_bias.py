from __future__ import annotations

import tensorflow as tf

from models.layers.session_bias import SessionBias


def test_a_step_is_told_its_session_its_place_and_its_unit() -> None:
    layer, sessions = SessionBias(name="bias"), tf.zeros((1, 2, 2, 1))
    mask = tf.constant([[[True, True], [True, False]]])
    layer(sessions, mask)
    for weight, value in zip(layer.weights, ([1.0, 2.0], [10.0, 20.0], [100.0]), strict=True):
        weight.assign(value)
    assert layer(sessions, mask).numpy()[0, :, :, 0].tolist() == [[111.0, 121.0], [112.0, 0.0]]
