"""Gates by hand; golden numbers stand in test_golden."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.interactions.gates import EmbeddingGate, EmbeddingGates, HiddenGate

REQUEST, ITEM = tf.constant([[[1.0, 2.0]]]), tf.constant([[[[3.0, 4.0]], [[0.0, 5.0]]]])
READS = (("user", 1), ("ad", 1))


def open_at(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


@pytest.mark.parametrize(
    ("kind", "kernel", "first", "axes"),
    [
        # The user's gate is of 1·1 + 2·2, the ad's of 3·0.1.
        ("vector", [[1.0, 2.0], [0.1, 0.0]], ([open_at(5), 2 * open_at(5)], [3 * open_at(0.3), 4 * open_at(0.3)]),
         {"kernel": (READS, None)}),
        ("bit", [[[1.0, 0.0], [0.0, 0.5]], [[0.0, 0.0], [0.1, 0.0]]],
         ([open_at(1), 2 * open_at(1)], [3 * open_at(0.4), 4 * 0.5]), {"kernel": (READS, None, None)}),
        ("shared", [[1.0, 0.0], [0.0, 0.5]], ([open_at(1), 2 * open_at(1)], [3 * open_at(3), 4 * open_at(2)]), {}),
    ],
)  # fmt: skip
def test_fields_go_on_by_their_gates(
    kind: EmbeddingGates, kernel: list[object], first: tuple[list[float], list[float]], axes: dict[str, object]
) -> None:
    gate = EmbeddingGate(kind, name="gate")
    gate(REQUEST, ITEM)
    gate.kernel.assign(kernel)
    request, item = gate(REQUEST, ITEM)
    np.testing.assert_allclose(request[0, 0], first[0], rtol=1e-6)
    np.testing.assert_allclose(item[0, 0, 0], first[1], rtol=1e-6)
    gate.reads = READS
    assert gate.weight_axes == axes


def test_a_hidden_layer_is_gated_by_itself() -> None:
    gate = HiddenGate(name="gate")
    gate(tf.ones((1, 2)))
    gate.kernel.assign([[0.0, 1.0], [0.0, 0.0]])
    np.testing.assert_allclose(gate(tf.constant([[1.0, 2.0]])), [[0.0, 2 * np.tanh(1.0)]], rtol=1e-6)
