"""Crosses by hand; golden numbers stand in test_golden."""

from __future__ import annotations

import tensorflow as tf

from models.interactions.cross import Cross, MatrixCross

X0 = tf.constant([[1.0, 2.0]])
READS = (("a", 1), ("b", 1))


def test_two_layers_of_weights_as_the_formula_has_them() -> None:
    layer = Cross(2, name="cross")
    layer(X0)
    layer.kernel.assign([[1.0, 1.0], [0.5, 0.0]])
    layer.bias.assign([[0.0, 1.0], [2.0, 0.0]])
    # x1 = 3 (1, 2) + (0, 1) + (1, 2) = (4, 9); x2 = 2 (1, 2) + (2, 0) + (4, 9)
    assert layer(X0).numpy().tolist() == [[8.0, 13.0]]
    layer.reads = READS
    assert layer.weight_axes == {"kernel": (None, READS), "bias": (None, READS)}


def test_the_bias_of_a_matrix_is_within_the_product() -> None:
    layer = MatrixCross(None, name="cross")
    layer(X0, X0)
    layer.kernel.assign([[0.0, 1.0], [1.0, 0.0]])
    layer.bias.assign([0.5, 0.0])
    # (1, 2) · ((2, 1) + (.5, 0)) + (3, 4)
    assert layer(X0, tf.constant([[1.0, 2.0]]) + 2.0).numpy().tolist() == [[7.5, 10.0]]


def test_a_low_rank_is_a_product_of_two() -> None:
    layer = MatrixCross(1, name="cross")
    layer(X0, X0)
    layer.down.assign([[1.0], [1.0]])
    layer.up.assign([[2.0, 3.0]])
    assert layer(X0, X0).numpy().tolist() == [[7.0, 20.0]]
    layer.reads = READS
    assert layer.weight_axes == {"bias": (READS,), "down": (READS, None), "up": (None, READS)}
