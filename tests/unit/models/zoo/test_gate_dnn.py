"""GateNet's gates before and after hidden layers."""

from __future__ import annotations

import pytest

from tests.unit.models.zoo.field_models import WHOLE, built, inputs, logits

GIVEN = inputs(user=[2.0], hour=[3.0], ad=[5.0, 7.0], price=[1.0, 2.0], clicks=[4.0, 6.0])


def test_fields_are_gated_and_what_is_beside_them_is_not() -> None:
    model = built("gate_dnn", WHOLE, units=[])
    model(GIVEN)
    model.gate.kernel.assign([[0.0]] * 4)
    assert [name for name, _ in model.head.reads] == ["user", "hour", "pooled of clicks", "ad", "price", "clicks * ad"]
    model.head.kernel.assign([[1.0], [0.0], [0.0], [10.0], [100.0], [0.0]])
    assert logits(model, GIVEN) == [1.0 + 25.0 + 100.0, 1.0 + 35.0 + 200.0]


@pytest.mark.parametrize(("options", "gates"), [({}, 2), ({"hidden_gate": False}, 0)])
def test_each_hidden_layer_has_a_gate_or_none(options: dict[str, object], gates: int) -> None:
    model = built("gate_dnn", WHOLE, units=[3, 2], embedding_gate=None, **options)
    assert len(logits(model, GIVEN)) == 2
    assert len(model.hidden_gates) == gates
    assert not hasattr(model, "gate")


def test_a_gate_of_hidden_layers_is_idle_without_any() -> None:
    with pytest.raises(ValueError, match="option 'hidden_gate' would have no effect"):
        built("gate_dnn", WHOLE, units=[], hidden_gate=False)
