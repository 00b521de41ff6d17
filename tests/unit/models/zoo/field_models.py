"""Models of interactions asked by hand: two features of the request, one of a candidate, and what is told besides."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from models import registry
from models.inputs import ModelInputs
from models.schema import Feature, FeatureSchema, Kind, Side

USER = Feature("user", Kind.CATEGORICAL, Side.REQUEST, "user")
HOUR = Feature("hour", Kind.CATEGORICAL, Side.REQUEST, "hour")
AD = Feature("ad", Kind.CATEGORICAL, Side.ITEM, "ad")
PRICE = Feature("price", Kind.DENSE, Side.ITEM)
CLICKS = Feature("clicks", Kind.SEQUENCE, Side.REQUEST, "ad", of="ad", steps=2)
SPACES = {"user": "int", "hour": "int", "ad": "int"}
ROWS = FeatureSchema((USER, HOUR), SPACES)
"""Of rows without candidates."""
WHOLE = FeatureSchema((USER, HOUR, AD, PRICE, CLICKS), SPACES)


def inputs(width: int = 1, linear: float = 0.0, **values: list[float]) -> ModelInputs:
    """One request: vectors of ``width`` equal values; ads, prices a candidate; clicks a step."""
    floats = {name: tf.constant(each, tf.float32) for name, each in values.items()}
    vectors = {
        name: tf.repeat(tf.reshape(each, (1, -1, 1) if name in ("ad", "clicks") else (1, 1)), width, axis=-1)
        for name, each in floats.items() if name != "price"
    }  # fmt: skip
    mask = {name: tf.reduce_any(each != 0, axis=-1) for name, each in vectors.items()}
    dense = {"price": floats["price"][None, :, None]} if "price" in floats else {}
    weights = {name: tf.fill((*each.shape[:-1], 1), linear) for name, each in vectors.items() if name != "clicks"}
    return ModelInputs(vectors, mask, dense, {"linear": weights})


def logits(model: Any, given: ModelInputs) -> list[float]:
    (of_task,) = model(given).logits.values()
    return [float(each) for each in of_task[0]]


def built(name: str, schema: FeatureSchema, *tasks: str, **options: Any) -> Any:
    return registry.build(name, schema, options, tasks or ("label",))
