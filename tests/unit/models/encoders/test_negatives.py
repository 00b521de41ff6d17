"""What could have stood in the steps of a history: who gets it, and where it stands beside them."""

from __future__ import annotations

import math
from typing import Any

import pytest
import tensorflow as tf

from models import registry
from models.encoders.history import History
from models.inputs import ModelInputs
from models.schema import FeatureSchema, Kind
from tests.unit.models.histories import STEPS, history, schema

NEXT = {"click": {"type": "pooled", "next": {"weight": 0.5}}}


def inputs(**lists: list[float]) -> ModelInputs:
    """One request: each history's steps as vectors of one value, 0 a missing element; ads are 3, makers 5."""
    vectors = {"ad": [[[3.0]]], "maker": [[[5.0]]]}
    vectors |= {name: [[[v] for v in values + [0.0] * (STEPS - len(values))]] for name, values in lists.items()}
    tensors = {name: tf.constant(each, tf.float32) for name, each in vectors.items()}
    return ModelInputs(tensors, {name: each[..., 0] != 0 for name, each in tensors.items()}, {}, {})


def read_in_training(model: Any, given: ModelInputs) -> History:
    """What the encoder of the only history gets."""
    seen: list[History] = []
    encoder = model.encoders["ads"]
    asked, encoder.read = encoder.read, lambda history, training: (seen.append(history), asked(history, training))[1]
    model(given, training=True)
    encoder.read = asked
    return seen[0]


def with_negatives(features: FeatureSchema, *names: str, count: int = 2) -> FeatureSchema:
    return FeatureSchema((*features.features, *(features[name].with_negatives(count) for name in names)), {"s": "int"})


def test_what_could_have_stood_in_a_step_is_told_part_by_part_to_an_encoder_that_asks() -> None:
    """Steps (2, 3) and (4, none); instead of the second 6 or nothing, whose maker is 7. Of answers there is none."""
    parts = (history("ads", of="ad", group="click"), history("makers", group="click"), history("told", group="click"))
    features = with_negatives(schema(*parts), "ads", "makers")
    model = registry.build("pooled", features, {"units": [2], "encoders": NEXT})
    given = inputs(ads=[2.0, 4.0], makers=[3.0], told=[1.0, 1.0])
    beside = {
        f"{name}.negatives": tf.constant([[[[0.0]] * 2, [[value], [0.0]], *[[[0.0]] * 2] * (STEPS - 2)]])
        for name, value in (("ads", 6.0), ("makers", 7.0))
    }
    given.vectors.update(beside)
    given.mask.update({name: each[..., 0] != 0 for name, each in beside.items()})
    found = read_in_training(model, given)
    assert found.steps.numpy()[0, :2].tolist() == [[2, 3, 1], [4, 0, 1]]
    assert found.negatives.steps.numpy()[0, 1].tolist() == [[6, 7, 0], [0, 0, 0]]
    assert found.negatives.mask.numpy()[0, :3].tolist() == [[False] * 2, [True, False], [False] * 2]
    assert model.history(model.groups[0], given).negatives is None
    # A request of weight 0 has no candidate that is trained.
    assert not read_in_training(model, given._replace(real=tf.constant([[False]]))).negatives.mask.numpy().any()
    # h = (2, 3, 1); h · e is 9 for the step and 33 for what could have stood there.
    answer = model(given, training=True)
    assert {name: each.weight for name, each in answer.losses.items()} == {"click/next": 0.5}
    assert float(answer.losses["click/next"].value) == pytest.approx(math.log1p(math.exp(-9)) + 33, rel=1e-6)
    assert model(given).losses == {}


def test_what_could_have_been_set_goes_where_its_day_goes() -> None:
    """A day that is carried over a gap brings its negatives along; the lead is cut off with its own."""
    days = history("ads", of="ad", group="click", kind=Kind.BAG_SEQUENCE, lead=1, steps=3, values=1)
    features = with_negatives(schema(days), "ads", count=1)
    model = registry.build("pooled", features, {"units": [2], "fill_forward": 1, "encoders": NEXT})
    given = inputs()
    for name, values in (("ads", [9.0, 2.0, 0.0, 4.0]), ("ads.negatives", [8.0, 5.0, 0.0, 0.0])):
        given.vectors[name] = tf.constant([[[[each]] for each in values]])
        given.mask[name] = given.vectors[name][..., 0] != 0
    found = read_in_training(model, given)
    assert found.steps.numpy()[0, :, 0].tolist() == [2, 2, 4]
    assert found.negatives.steps.numpy()[0, :, 0, 0].tolist() == [5, 5, 0]
    assert found.negatives.mask.numpy()[0, :, 0].tolist() == [True, True, False]
    with pytest.raises(ValueError, match=r"'click' is to tell its next steps .* what is drawn is of days"):
        registry.build("pooled", features, {"layout": "flat", "encoders": NEXT})


def test_what_nobody_asks_for_is_not_read() -> None:
    features = with_negatives(schema(history("ads", of="ad", group="click"), history("pages")), "ads")
    assert "ads.negatives" in [each.name for each in features.features]
    plain = registry.build("din", features, {"units": [2]})
    assert [each.name for each in plain.schema.features] == ["ad", "maker", "ads", "pages"]
    with pytest.raises(ValueError, match=r"history 'pages' is to tell its next steps from others .* `negatives: 5`"):
        registry.build("pooled", features, {"next": {"weight": 1.0}})
