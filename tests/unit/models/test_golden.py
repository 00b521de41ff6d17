"""Layers and models against numbers that something else computed (``tests.golden``).

A case is a function of what its file holds, under the file's name in ``CASES``: what the code under test gives, by
name. ``out_x`` is compared with the expected output, ``grad_x_y`` with the gradient of the loss ``x`` by the array
``y``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from models.layers.next_step_loss import NextStepLoss
from tests.golden import golden

Golden = Mapping[str, NDArray[np.generic]]
Given = Mapping[str, NDArray[np.generic] | tf.Tensor]


def gradients(loss: Callable[[Mapping[str, tf.Tensor]], tf.Tensor], arrays: Golden, name: str) -> Given:
    """``grad_<name>_<array>`` by every array that the file has the gradient of, of a loss that is told by arrays."""
    prefix = f"grad_{name}_"
    by = [key.removeprefix(prefix) for key in arrays if key.startswith(prefix)]
    given = {key: tf.constant(arrays[key], tf.float32) for key in by}
    with tf.GradientTape() as tape:
        tape.watch(list(given.values()))
        value = loss(given)
    return {f"{prefix}{key}": each for key, each in zip(by, tape.gradient(value, list(given.values())), strict=True)}


def dien_aux(arrays: Golden) -> Given:
    networks = {"inner": [], "mlp": [("a1", "c1"), ("a2", "c2"), ("a3", "c3")]}

    def loss_by(name: str) -> Callable[[Mapping[str, tf.Tensor]], tf.Tensor]:
        def loss(given: Mapping[str, tf.Tensor]) -> tf.Tensor:
            told = {key: tf.constant(each, tf.float32) for key, each in arrays.items() if each.dtype.kind == "f"}
            told |= given
            mask, weights = tf.constant(arrays["mask"]), networks[name]
            layer = NextStepLoss([arrays[kernel].shape[1] for kernel, _ in weights[:-1]], name="next")
            layer.build(told["states"].shape, told["positives"].shape)
            for dense, (kernel, bias) in zip(layer.score, weights, strict=True):
                dense.call = lambda x, w=told[kernel], b=told[bias], f=dense.activation: f(x @ w + b)
            return layer(told["states"], told["positives"], mask, told["negatives"][:, :, None], mask[..., None])

        return loss

    found: dict[str, NDArray[np.generic] | tf.Tensor] = {}
    for name in networks:
        found |= {f"out_{name}": loss_by(name)({}), **gradients(loss_by(name), arrays, name)}
    return found


CASES: dict[str, Callable[[Golden], Given]] = {"dien_aux": dien_aux}


@pytest.mark.parametrize("case", CASES)
def test_what_is_computed_is_what_something_else_computed(case: str) -> None:
    arrays = golden(case)
    found = CASES[case](arrays)
    assert found
    for name, value in found.items():
        close = 2e-5 if name.startswith("grad_") else 1e-5
        np.testing.assert_allclose(np.asarray(value), arrays[name], rtol=close, atol=close, err_msg=name)
