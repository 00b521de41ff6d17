"""A case of golden numbers: what the code under test makes of a file's arrays, and which outputs its losses are of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Arrays = Mapping[str, Any]
"""A file's arrays: floats as float32 tensors, of which gradients are taken; all else as it is."""


@dataclass(frozen=True)
class Case:
    """``outputs`` gives ``out_x`` by name; ``losses`` says of which outputs each loss is the sum, weighted by their
    probes (a number without a probe enters as it is). The unnamed loss is called ``""``."""

    outputs: Callable[[Arrays], Mapping[str, tf.Tensor]]
    losses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def differences(self, golden: Mapping[str, NDArray[Any]]) -> dict[str, tuple[Any, Any]]:
        """By name what is computed and what is expected: every output, loss and gradient of the case."""
        floats = {name: tf.constant(each, tf.float32) for name, each in golden.items() if each.dtype.kind == "f"}
        others = {name: each for name, each in golden.items() if each.dtype.kind != "f"}
        found = {}
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(floats)
            outputs = self.outputs({**floats, **others})
            losses = {
                name: tf.add_n(
                    [tf.reduce_sum(floats.get(f"probe_{o.removeprefix('out_')}", 1.0) * outputs[o]) for o in of]
                )
                for name, of in self.losses.items()
            }
        found |= {name: (value, golden[name]) for name, value in outputs.items()}
        for name, value in losses.items():
            label = f"_{name}" if name else ""
            found[f"loss{label}"] = (value, golden[f"loss{label}"])
            prefix = f"grad{label}_"
            arrays = {each.removeprefix(prefix): each for each in golden if each.startswith(prefix)}
            for array, gradient in arrays.items():
                if array in golden:  # and no other loss, whose name begins alike
                    got = tape.gradient(value, floats[array], unconnected_gradients=tf.UnconnectedGradients.ZERO)
                    found[gradient] = (tf.convert_to_tensor(got), golden[gradient])
        return found


def asked(layer: keras.layers.Layer, weights: Mapping[str, tf.Tensor], *inputs: Any, **settings: Any) -> Any:
    """What a layer gives with ``weights``, by the end of each one's path, in place of its own."""
    layer(*inputs, **settings)  # builds it
    left = dict(weights)
    values = []
    for variable in layer.trainable_variables:
        name = next((name for name in left if f"/{variable.path}".endswith(f"/{name}")), None)
        if name is None:
            raise AssertionError(f"no golden weight for {variable.path}")
        values.append(tf.ensure_shape(left.pop(name), variable.shape))
    if left:
        raise AssertionError(f"{layer.name} has no weight {', '.join(left)}")
    fixed = [variable.value for variable in layer.non_trainable_variables]
    return layer.stateless_call(values, fixed, *inputs, **settings)[0]


def beside(arrays: Arrays, *names: str) -> tf.Tensor:
    """Weights of gates that the file has apart, as a layer has them."""
    return tf.concat([arrays[name] for name in names], axis=-1)


def close(name: str) -> float:
    """How far from an expected value a right one may be."""
    return 2e-5 if name.startswith("grad") else 1e-5


def assert_golden(case: Case, golden: Mapping[str, NDArray[Any]]) -> None:
    """Whether all that a case computes is what is expected."""
    found = case.differences(golden)
    assert found
    for name, (value, expected) in found.items():
        np.testing.assert_allclose(np.asarray(value), expected, rtol=close(name), atol=close(name), err_msg=name)
