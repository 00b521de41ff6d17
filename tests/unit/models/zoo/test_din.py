"""DIN: what a history tells depends on the candidate, where the history has one."""

from __future__ import annotations

import math
from typing import Any

import pytest
import tensorflow as tf

from models import registry
from models.schema import Feature, FeatureSchema, Kind, Side
from models.zoo.base import History

AD = Feature("ad", Kind.CATEGORICAL, Side.ITEM, "s")
CLICKS = Feature("clicks", Kind.SEQUENCE, Side.REQUEST, "s", of="ad", steps=3)
PAGES = Feature("pages", Kind.SEQUENCE, Side.REQUEST, "s", steps=3)
STEPS = tf.constant([[[1.0], [3.0], [9.0]]])
MASK = tf.constant([[True, True, False]])


def din(**options: object) -> Any:
    schema = FeatureSchema((AD, CLICKS, PAGES), {"s": "int"})
    wanted = {"units": [2], "attention_units": [1], "attention_activation": "relu", **options}
    return registry.build("din", schema, wanted)


def read(normaliser: str) -> tf.Tensor:
    """Two candidates, 2 and 0, on steps 1 and 3, by a network whose score of a step is target · step."""
    model = din(normaliser=normaliser)
    group = model.groups[0]
    history = History(STEPS, MASK, tf.constant([[[2.0], [0.0]]]))
    model.read(group, history)
    attention = model.attention[group.name]
    attention.kernel.assign([[0.0], [0.0], [0.0], [1.0]])  # of [q, k, q - k, q * k] the last
    attention.bias.assign([0.0])
    attention.score.kernel.assign([[1.0]])
    attention.score.bias.assign([0.0])
    return model.read(group, history)


def test_steps_are_weighted_by_what_the_candidate_sees_in_them() -> None:
    # Scores of the first candidate 2 and 6: (1·e² + 3·e⁶) / (e² + e⁶); the second sees all alike: their mean.
    first = (math.exp(2) + 3 * math.exp(6)) / (math.exp(2) + math.exp(6))
    assert read("softmax").numpy()[0, :, 0].tolist() == pytest.approx([first, 2.0], rel=1e-6)


def test_without_a_normaliser_the_strength_is_kept() -> None:
    # 2·1 + 6·3; and nothing of what the second candidate is blind to.
    assert read("none").numpy()[0, :, 0].tolist() == pytest.approx([20.0, 0.0])


def test_a_history_without_a_target_is_the_mean_of_its_steps() -> None:
    model = din()
    assert list(model.attention) == ["clicks"]
    (pages,) = (group for group in model.groups if group.name == "pages")
    assert model.read(pages, History(STEPS, MASK, None)).numpy().tolist() == [[2.0]]
