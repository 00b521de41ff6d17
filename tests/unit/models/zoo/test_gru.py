"""The model `gru`, asked of the order of a history."""

from __future__ import annotations

import tensorflow as tf

from models import registry
from models.inputs import ModelInputs
from tests.unit.models.histories import history, schema


def logit(steps: list[float]) -> float:
    vectors = {
        "ad": tf.constant([[[3.0]]]),
        "maker": tf.constant([[[5.0]]]),
        "pages": tf.constant([[[v] for v in steps]]),
    }
    mask = {name: tf.reduce_any(each != 0, axis=-1) for name, each in vectors.items()}
    return float(MODEL(ModelInputs(vectors, mask, {}, {})).logits["label"][0, 0])


MODEL = registry.build("gru", schema(history("pages", steps=3)), {"units": []})


def test_the_order_of_steps_matters_and_padding_does_not() -> None:
    assert logit([1.0, 2.0]) != logit([2.0, 1.0])
    assert logit([1.0, 2.0]) == logit([1.0, 2.0, 0.0])
