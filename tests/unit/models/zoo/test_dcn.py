"""DCN's crosses of values side by side."""

from __future__ import annotations

from tests.unit.models.zoo.field_models import ROWS, built, inputs, logits


def test_one_layer_of_crosses_by_hand() -> None:
    model, given = built("dcn", ROWS, units=[], cross_layers=1), inputs(user=[2.0], hour=[3.0])
    model(given)
    model.cross.kernel.assign([[1.0, 10.0]])
    model.head.kernel.assign([[1.0], [100.0]])
    # 32 (2, 3) + (2, 3)
    assert logits(model, given) == [66.0 + 9900.0]
