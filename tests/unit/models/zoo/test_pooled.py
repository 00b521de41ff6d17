"""The pooled model: a history is the mean or the sum of its steps, the same for every candidate."""

from __future__ import annotations

import pytest

from models import registry
from models.encoders.pooled import Pooled
from models.schema import Feature, FeatureSchema, Kind, Side

AD = Feature("ad", Kind.CATEGORICAL, Side.ITEM, "s")
CLICKS = Feature("clicks", Kind.SEQUENCE, Side.REQUEST, "s", of="ad", steps=3)


@pytest.mark.parametrize("pooling", ["mean", "sum", "last"])
def test_every_history_is_pooled_alike(pooling: str) -> None:
    model = registry.build("pooled", FeatureSchema((AD, CLICKS), {"s": "int"}), {"units": [2], "pooling": pooling})
    (encoder,) = model.encoders.values()
    assert isinstance(encoder, Pooled)
    assert encoder.options.pooling == pooling


def test_pooling_cannot_act_where_there_is_no_history() -> None:
    without = registry.build("pooled", FeatureSchema((AD,), {"s": "int"}), {"units": [2]})
    assert without.idle_options()["pooling"] == "there is no history"
    with_one = registry.build("pooled", FeatureSchema((AD, CLICKS), {"s": "int"}), {"units": [2]})
    assert "pooling" not in with_one.idle_options()
