"""A network over everything side by side."""

from __future__ import annotations

import pytest

from tests.unit.models.zoo.field_models import WHOLE, built, inputs, logits


def test_vectors_dense_values_and_means_stand_side_by_side() -> None:
    given = inputs(user=[2.0], hour=[3.0], ad=[5.0, 7.0], price=[1.0, 2.0], clicks=[4.0, 6.0])
    model = built("dnn", WHOLE, units=[])
    model(given)
    assert [name for name, _ in model.tower.reads] == [
        "user", "hour", "pooled of clicks", "price", "ad", "clicks * ad"
    ]  # fmt: skip
    model.tower.kernel.assign([[1.0], [10.0], [100.0], [0.5], [0.25], [0.0]])
    assert logits(model, given) == pytest.approx([532 + 0.5 + 1.25, 532 + 1 + 1.75])
