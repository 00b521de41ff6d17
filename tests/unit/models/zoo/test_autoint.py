"""AutoInt's attention over fields, with a network beside it or none."""

from __future__ import annotations

import pytest

from tests.unit.models.zoo.field_models import WHOLE, built, inputs, logits

GIVEN = inputs(user=[2.0], hour=[3.0], ad=[5.0, 7.0], price=[1.0, 2.0], clicks=[0.0, 0.0])


def test_an_empty_history_and_dense_values_without_vectors_are_attended_by_none() -> None:
    model = built("autoint", WHOLE, attention_widths=[1], heads=1)
    model(GIVEN)
    (layer,) = model.attention
    for weight, value in zip((layer.query, layer.key, layer.value, layer.residual), (0.0, 0.0, 1.0, 0.0), strict=True):
        weight.assign([[value]])
    assert [name for name, _ in model.head.reads] == ["user", "hour", "pooled of clicks", "ad", "price"]
    model.head.kernel.assign([[1.0], [0.0], [0.0], [0.0], [0.0]])
    assert logits(model, GIVEN) == pytest.approx([10 / 3, 4.0])


def test_a_network_is_added_where_it_is_asked_for() -> None:
    assert len(logits(built("autoint", WHOLE, units=[2]), GIVEN)) == 2
    assert not hasattr(built("autoint", WHOLE), "tower")
    assert {"activation", "dropout", "product"} <= built("autoint", WHOLE).idle_options().keys()
