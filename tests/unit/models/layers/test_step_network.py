"""The network of the real steps alone against the same one of all places, forwards and backwards."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.engine.engine import configure
from models.layers import step_network
from models.layers.attention import TargetAttention
from models.layers.step_network import ROWS, suits

configure(2)
ROWS_HERE, LENGTH = 2 * ROWS, 11


def given(width: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Targets of 3 values, steps of ``width``; of all lengths, holes among them, and rows without any step."""
    draw = np.random.default_rng(3)
    target, steps = (draw.normal(size=shape) for shape in ((ROWS_HERE, 1, 3), (ROWS_HERE, LENGTH, width)))
    mask = np.arange(LENGTH) < draw.integers(0, LENGTH + 1, ROWS_HERE)[:, None]
    mask &= draw.random(mask.shape) < 0.9
    return tf.constant(target, tf.float32), tf.constant(steps, tf.float32), tf.constant(mask)


@pytest.mark.parametrize("width", [3, 5])
@pytest.mark.parametrize(
    ("units", "activation", "normaliser", "compiled"),
    [((6, 4), "sigmoid", "softmax", True), ((6,), "tanh", "none", False), ((5, 4, 3), "relu", "softmax", False)],
)
def test_it_is_the_network_of_all_places(
    width: int, units: tuple[int, ...], activation: str, normaliser: str, compiled: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    target, steps, mask = given(width)
    layer = TargetAttention(units, activation, normaliser, name="attention")
    layer.build(target.shape, steps.shape)
    weights = [each.value for each in layer.trainable_weights]
    told = tf.constant(np.random.default_rng(4).normal(size=(ROWS_HERE, 1, width)), tf.float32)

    def answered() -> list[np.ndarray]:
        @tf.function(jit_compile=compiled, autograph=False)
        def asked(target: tf.Tensor, steps: tf.Tensor) -> object:
            with tf.GradientTape() as tape:
                tape.watch([target, steps])
                seen = layer(target, steps, mask, training=True)
                loss = tf.reduce_sum(seen * told)
            return [seen, *tape.gradient(loss, [target, steps, *weights])]

        return [each.numpy() for each in asked(target, steps)]

    every = answered()
    assert not suits(target, steps, training=True)
    monkeypatch.setattr(step_network, "LEAST_PLACES", 0)
    assert suits(target, steps, training=False)
    for expected, found in zip(every, answered(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * max(1.0, np.abs(expected).max()))
    np.testing.assert_allclose(layer(target, steps, mask), every[0], atol=1e-5)


@pytest.mark.parametrize(
    ("rows", "candidates", "places", "training", "fit"),
    [
        (1024, 1, 50, True, True),
        (1024, 1, 50, False, True),
        (4096, 1, 20, True, True),
        (4096, 1, 4, False, True),
        (4095, 1, 4, False, False),
        (1024, 2, 50, True, False),
        (None, 1, 50, False, False),
        (1024, 1, None, False, False),
        (1000, 1, 50, True, False),
        (1000, 1, 50, False, True),  # what is trained goes in blocks of rows
        (128, 1, 50, True, False),
    ],
)
def test_what_it_is_made_for(
    rows: int | None, candidates: int, places: int | None, training: bool, fit: bool
) -> None:
    target, steps = tf.TensorSpec((rows, candidates, 4)), tf.TensorSpec((rows, places, 4))
    assert suits(target, steps, training) is fit
