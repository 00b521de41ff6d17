from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.layers.bilinear_attention import BilinearAttention


def test_steps_are_weighed_by_the_softmax_of_what_a_matrix_makes_of_both() -> None:
    """Steps (1, 0) and (0, 2), a target 3: ``k W q`` with W = (.5, 1) is 1.5 and 6; nothing where there is no step."""
    layer = BilinearAttention(name="attention")
    target = tf.constant([[[3.0]], [[3.0]]])
    steps = tf.constant([[[1.0, 0.0], [0.0, 2.0], [9.0, 9.0]]] * 2)
    mask = tf.constant([[True, True, False], [False] * 3])
    layer(target, steps, mask)
    layer.kernel.assign([[0.5], [1.0]])
    first = 1 / (1 + np.exp(4.5))
    np.testing.assert_allclose(layer.attend(target, steps, mask)[0, 0], [first, 1 - first, 0.0], rtol=1e-5)
    np.testing.assert_allclose(layer(target, steps, mask), [[[first, 2 * (1 - first)]], [[0.0, 0.0]]], rtol=1e-5)
