"""Histories of one space, with the items that they may be of."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from models.encoders.history import HistoryGroup
from models.inputs import ModelInputs
from models.schema import Feature, FeatureSchema, Kind, Side

STEPS = 10
AD = Feature("ad", Kind.CATEGORICAL, Side.ITEM, "s")
MAKER = Feature("maker", Kind.CATEGORICAL, Side.ITEM, "s")


def history(name: str, **settings: Any) -> Feature:
    return Feature(name, **{"kind": Kind.SEQUENCE, "side": Side.REQUEST, "space": "s", "steps": STEPS, **settings})


def schema(*histories: Feature) -> FeatureSchema:
    return FeatureSchema((AD, MAKER, *histories), {"s": "int"})


def inputs(**lists: list[float]) -> ModelInputs:
    """One request: each history's steps as vectors of one value, 0 a missing element; ads are 3, makers 5."""
    vectors = {"ad": [[[3.0]]], "maker": [[[5.0]]]}
    vectors |= {name: [[[v] for v in values + [0.0] * (STEPS - len(values))]] for name, values in lists.items()}
    tensors = {name: tf.constant(each, tf.float32) for name, each in vectors.items()}
    return ModelInputs(tensors, {name: tf.reduce_any(each != 0, axis=-1) for name, each in tensors.items()}, {}, {})


CLICKED = HistoryGroup("ads", "clicked", (history("ads", group="clicked"), history("makers", group="clicked")), (), ())
"""Steps of two parts."""
