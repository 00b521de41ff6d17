"""MMoE: every task's tower stands on its own mixture of the same experts."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.models.zoo.field_models import WHOLE, built, inputs


def test_a_tower_reads_the_experts_as_its_gate_weighs_them() -> None:
    asked = inputs(user=[2.0], hour=[3.0], ad=[5.0], price=[1.0], clicks=[4.0, 6.0])
    model = built("mmoe", WHOLE, "one", "two", units=[], experts=2, expert_units=[1])
    model(asked)
    for layer in model.level.layers:
        for weight in layer.weights:
            weight.assign(0 * weight)
    for expert, value in zip(model.level.experts[""], (1.0, 5.0), strict=True):
        expert.layers.bias.assign([value])
    # Of the user, whose value is 2: e² against 1.
    model.level.gates["two"].kernel[0, 0].assign(1.0)
    for tower in model.towers.values():
        tower.kernel.assign([[1.0]])
    found = model(asked).logits
    e = np.exp(2.0)
    assert found["one"].numpy() == pytest.approx(np.array([[3.0]]))
    assert found["two"].numpy() == pytest.approx(np.array([[(e + 5) / (e + 1)]]))
