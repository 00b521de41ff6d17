"""DIEN: what a history tells depends on the candidate and on its order, where the history has a target."""

from __future__ import annotations

import pytest
import tensorflow as tf

from models import registry
from models.encoders.pooled import Pooled
from models.inputs import ModelInputs
from tests.unit.models.histories import history, schema

MODEL = registry.build(
    "dien",
    schema(history("ads", of="ad", steps=3), history("pages")),
    {"units": [], "encoder": {"attention_units": [2]}},
)


def told(steps: list[float]) -> tf.Tensor:
    vectors = {
        "ad": tf.constant([[[3.0], [-1.0]]]),
        "maker": tf.constant([[[5.0], [5.0]]]),
        "ads": tf.constant([[[v] for v in steps]]),
        "pages": tf.ones((1, 10, 1)),
    }
    mask = {name: tf.reduce_any(each != 0, axis=-1) for name, each in vectors.items()}
    group = MODEL.groups[0]
    return MODEL.encoders[group.name].read(MODEL.history(group, ModelInputs(vectors, mask, {}, {})), False).told[0]


def test_the_order_of_steps_and_the_candidate_matter_and_padding_does_not() -> None:
    first = told([1.0, 2.0])
    assert float(first[0, 0]) != float(first[1, 0])
    assert float(first[0, 0]) != float(told([2.0, 1.0])[0, 0])
    assert float(first[0, 0]) == float(told([1.0, 2.0, 0.0])[0, 0])


def test_a_history_without_a_target_is_pooled_and_one_with_has_to_be_there() -> None:
    assert isinstance(MODEL.encoders["pages"], Pooled)
    with pytest.raises(ValueError, match=r"model 'dien' needs a history of an item feature .*; without one, use 'gru'"):
        registry.build("dien", schema(history("pages")), {})
