"""The pooled model: a history is the mean or the sum of its steps, the same for every candidate."""

from __future__ import annotations

import pytest
import tensorflow as tf

from models import registry
from models.schema import Feature, FeatureSchema, Kind, Side
from models.zoo.base import History

AD = Feature("ad", Kind.CATEGORICAL, Side.ITEM, "s")
CLICKS = Feature("clicks", Kind.SEQUENCE, Side.REQUEST, "s", of="ad", steps=3)


@pytest.mark.parametrize(("pooling", "told"), [("mean", [[2.0, 6.0], [0.0, 0.0]]), ("sum", [[4.0, 12.0], [0.0, 0.0]])])
def test_what_a_history_tells_whoever_is_looked_at(pooling: str, told: list[list[float]]) -> None:
    model = registry.build("pooled", FeatureSchema((AD, CLICKS), {"s": "int"}), {"units": [2], "pooling": pooling})
    steps = tf.constant([[[1.0, 5.0], [3.0, 7.0], [9.0, 9.0]], [[9.0, 9.0]] * 3])
    mask = tf.constant([[True, True, False], [False] * 3])
    for target in (tf.zeros((2, 1, 2)), tf.ones((2, 4, 2))):
        assert model.read(model.groups[0], History(steps, mask, target)).numpy().tolist() == told


def test_pooling_cannot_act_where_there_is_no_history() -> None:
    without = registry.build("pooled", FeatureSchema((AD,), {"s": "int"}), {"units": [2]})
    assert without.idle_options()["pooling"] == "there is no history"
    with_one = registry.build("pooled", FeatureSchema((AD, CLICKS), {"s": "int"}), {"units": [2]})
    assert "pooling" not in with_one.idle_options()
