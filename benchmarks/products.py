"""Matrix products alone, with those of both gradients: the floor of a training step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from benchmarks.step import Run


def products_alone(shapes: Sequence[tuple[int, ...]]) -> Run:
    """Steps that multiply, each product in one call, in one XLA program.

    Args:
        shapes: of each ``(rows, inputs, outputs)``, or of many alike ``(number, rows, inputs, outputs)``.
    """
    draw = np.random.default_rng(0)

    def drawn(*shape: int) -> tf.Tensor:
        return tf.constant(draw.normal(size=shape).astype(np.float32))

    values = [
        (drawn(*many, rows, given), drawn(*many, given, told), drawn(*many, rows, told))
        for *many, rows, given, told in shapes
    ]

    @tf.function(jit_compile=True)
    def step(values: list[tuple[tf.Tensor, ...]]) -> list[tf.Tensor]:
        # All of it is returned, or the compiler would leave it out.
        return [
            each
            for x, w, y in values
            for each in (tf.matmul(x, w), tf.matmul(x, y, transpose_a=True), tf.matmul(y, w, transpose_b=True))
        ]

    def run(steps: int) -> None:
        for _ in range(steps if values else 0):
            step(values)

    return run
