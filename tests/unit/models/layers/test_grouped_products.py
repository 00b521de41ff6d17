"""Rows of two groups, each with its own weights, against each group by itself."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.layers.grouped_products import by_bias, by_kernel, plus, times, times_transposed

DRAW = np.random.default_rng(0)
ROWS, GRADIENT, KERNEL, BIAS = (
    tf.constant(DRAW.normal(size=shape), tf.float32) for shape in ((6, 2), (6, 4), (2, 2, 4), (2, 4))
)


def each(made: object, *given: tf.Tensor) -> list[tf.Tensor]:
    """Of the first three rows with the first weights, and of the others with the second."""
    parts = [tf.split(g, 2) if g.shape[0] == 6 else [g[0], g[1]] for g in given]
    return [made(*group) for group in zip(*parts, strict=True)]  # type: ignore[operator]


def test_each_group_meets_its_own_weights() -> None:
    for made, given in ((times, (ROWS, KERNEL)), (times_transposed, (GRADIENT, KERNEL)), (plus, (GRADIENT, BIAS))):
        np.testing.assert_allclose(made(*given), tf.concat(each(made, *given), axis=0), atol=1e-6)
    for made, given in ((by_kernel, (ROWS, GRADIENT, KERNEL)), (by_bias, (GRADIENT, BIAS))):
        np.testing.assert_allclose(made(*given), tf.stack(each(made, *given)), atol=1e-6)


def test_weights_of_all_rows_are_multiplied_as_ever() -> None:
    np.testing.assert_array_equal(times(ROWS, KERNEL[0]), ROWS @ KERNEL[0])
    np.testing.assert_array_equal(plus(GRADIENT, BIAS[0]), GRADIENT + BIAS[0])
    np.testing.assert_allclose(by_bias(GRADIENT, BIAS[0]), np.asarray(GRADIENT).sum(axis=0), atol=1e-6)
