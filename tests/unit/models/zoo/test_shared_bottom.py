"""Shared bottom: towers stand on the same hidden layers."""

from __future__ import annotations

from tests.unit.models.zoo.field_models import WHOLE, built, inputs


def test_every_tower_reads_the_same_hidden_layer() -> None:
    asked = inputs(user=[2.0], hour=[3.0], ad=[5.0], price=[1.0], clicks=[4.0, 6.0])
    model = built("shared_bottom", WHOLE, "one", "two", units=[], bottom_units=[1])
    model(asked)
    model.bottom.layers.kernel.assign(0 * model.bottom.layers.kernel)
    model.bottom.layers.bias.assign([2.0])
    model.towers["one"].kernel.assign([[1.0]])
    model.towers["two"].kernel.assign([[-3.0]])
    found = model(asked).logits
    assert (found["one"].numpy().tolist(), found["two"].numpy().tolist()) == ([[2.0]], [[-6.0]])
    assert model.towers["one"].reads == (("bottom", 1),)
