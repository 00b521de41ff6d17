"""Attention over fields by hand; golden numbers stand in test_golden."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.interactions.attention import Interacting


def test_a_field_without_anything_in_it_is_attended_by_none() -> None:
    layer = Interacting(1, 1, name="attention")
    fields = tf.constant([[[1.0], [2.0], [7.0]]])
    layer(fields, tf.constant([[True, True, False]]))
    for weight, value in zip((layer.query, layer.key, layer.value, layer.residual), (1.0, 1.0, 1.0, 0.0), strict=True):
        weight.assign([[value]])
    found = layer(fields, tf.constant([[True, True, False]]))
    seen = [(np.exp(q) + 2 * np.exp(2 * q)) / (np.exp(q) + np.exp(2 * q)) for q in (1.0, 2.0, 7.0)]
    np.testing.assert_allclose(found[0, :, 0], seen, rtol=1e-5)


def test_heads_divide_the_width() -> None:
    with pytest.raises(ValueError, match="3 heads do not divide a width of 4"):
        Interacting(4, 3, name="attention")
