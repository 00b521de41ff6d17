from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.layers.cosine import Cosine, unit


def test_an_inner_product_is_the_cosine_by_the_temperature_and_the_bias() -> None:
    layer = Cosine(0.5, name="cosine")
    item = layer(tf.constant([[[0.0, 2.0], [-3.0, 0.0]]]), of="item")
    layer.bias.assign([0.25])
    user = layer(tf.constant([[3.0, 4.0]]), of="user")
    np.testing.assert_allclose(tf.reduce_sum(user[:, None] * item, axis=-1), [[0.8 / 0.5 + 0.25, -0.6 / 0.5 + 0.25]])


def test_a_vector_of_zeros_has_no_direction() -> None:
    np.testing.assert_array_equal(unit(tf.zeros((1, 3))), np.zeros((1, 3)))
    assert float(tf.norm(unit(tf.constant([1e-3, 0.0])))) == pytest.approx(1.0)
