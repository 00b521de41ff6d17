"""Histories of one space, with the items that they may be of."""

from __future__ import annotations

from typing import Any

from models.encoders.history import HistoryGroup
from models.schema import Feature, FeatureSchema, Kind, Side

STEPS = 10
AD = Feature("ad", Kind.CATEGORICAL, Side.ITEM, "s")
MAKER = Feature("maker", Kind.CATEGORICAL, Side.ITEM, "s")


def history(name: str, **settings: Any) -> Feature:
    return Feature(name, **{"kind": Kind.SEQUENCE, "side": Side.REQUEST, "space": "s", "steps": STEPS, **settings})


def schema(*histories: Feature) -> FeatureSchema:
    return FeatureSchema((AD, MAKER, *histories), {"s": "int"})


CLICKED = HistoryGroup("ads", "clicked", (history("ads", group="clicked"), history("makers", group="clicked")), (), ())
"""Steps of two parts."""
