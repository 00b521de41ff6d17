"""The encoder dien: recurrences over interests, moved by each candidate."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.encoders.dien import Dien, DienOptions
from models.encoders.history import History, Negatives
from tests.unit.models.histories import CLICKED

DRAW = np.random.default_rng(0)
STEPS = tf.constant(DRAW.normal(size=(3, 4, 3)), tf.float32)
MASK = tf.constant([[True] * 4, [True, False, True, False], [False] * 4])
TARGET = tf.constant(DRAW.normal(size=(3, 2, 3)), tf.float32)
PARTS = (("ads", 2), ("makers", 1))


def made(**options: Any) -> Dien:
    keras.utils.set_random_seed(0)
    return Dien(DienOptions.model_validate(options), CLICKED, name="seq_ads")


def read(encoder: Dien, target: tf.Tensor = TARGET, **more: Any) -> Any:
    return encoder.read(History(STEPS, MASK, target, parts=PARTS, **more), "negatives" in more)


@pytest.mark.parametrize("attention", ["network", "bilinear"])
@pytest.mark.parametrize("evolution", ["augru", "agru", "aigru"])
def test_each_candidate_has_a_state_of_its_own(evolution: str, attention: str) -> None:
    encoder = made(evolution=evolution, attention=attention)
    told = read(encoder).told.numpy()
    assert told.shape == (3, 2, 3)
    interests = encoder.interests(STEPS, MASK)
    for candidate in range(2):
        scores = encoder.attention.attend(TARGET[:, candidate : candidate + 1], interests, MASK)[:, 0]
        states = encoder.evolution(interests, MASK, scores)
        np.testing.assert_allclose(told[:, candidate], states[:, -1], atol=1e-6)
    assert np.abs(told[:2, 0] - told[:2, 1]).min() > 1e-7
    assert not told[2].any()


def test_a_target_of_another_width_is_put_through_a_query_layer() -> None:
    encoder = made(units=5)
    assert read(encoder, TARGET[..., :2]).told.shape == (3, 2, 5)
    assert encoder.query.kernel.shape == (2, 5)
    plain = made()
    read(plain)
    assert not plain.query.built
    asked = made(query=True)
    read(asked)
    assert asked.query.built


def test_interests_are_told_from_negatives_in_training() -> None:
    encoder = made(next={"weight": 0.5, "units": [2]}, units=5)
    assert encoder.reads_negatives
    assert not read(encoder, TARGET[..., :2]).losses
    others = Negatives(STEPS[:, :, None], MASK[..., None])
    loss = read(encoder, TARGET[..., :2], negatives=others).losses["next"]
    assert loss.weight == 0.5
    interests = encoder.interests(STEPS, MASK)
    assert float(loss.value) == pytest.approx(float(encoder.next_step(interests, STEPS, MASK, *others)))


def test_a_request_without_candidates_is_answered() -> None:
    encoder = made()
    read(encoder)
    assert read(encoder, TARGET[:, :0]).told.shape == (3, 0, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attention": "bilinear", "attention_units": [3]}, "`attention_units` would have no effect: `attention: bili"),
        ({"attention": "bilinear", "query": True}, "`query` would have no effect"),
        ({"evolution": "agru", "gate": "paper"}, "`gate` would have no effect: agru has none"),
        ({"next": {"units": [3]}}, "`next.units` would have no effect"),
    ],
)
def test_an_option_that_another_leaves_without_effect_is_told(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made(**options)
