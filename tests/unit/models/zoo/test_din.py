"""DIN: what a history tells depends on the candidate, where the history has one."""

from __future__ import annotations

from models import registry
from models.encoders.din import Din
from models.encoders.pooled import Pooled
from models.schema import Feature, FeatureSchema, Kind, Side

AD = Feature("ad", Kind.CATEGORICAL, Side.ITEM, "s")
CLICKS = Feature("clicks", Kind.SEQUENCE, Side.REQUEST, "s", of="ad", steps=3)
PAGES = Feature("pages", Kind.SEQUENCE, Side.REQUEST, "s", steps=3)


def test_a_history_without_a_target_is_the_mean_of_its_steps() -> None:
    schema = FeatureSchema((AD, CLICKS, PAGES), {"s": "int"})
    wanted = {"units": [2], "attention_units": [1], "normaliser": "none"}
    clicks, pages = registry.build("din", schema, wanted).encoders.values()
    assert isinstance(clicks, Din)
    assert (clicks.options.attention_units, clicks.options.normaliser) == ((1,), "none")
    assert isinstance(pages, Pooled)
    assert pages.options.pooling == "mean"
