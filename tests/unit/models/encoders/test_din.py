"""The encoder din: what a history tells depends on the candidate."""

from __future__ import annotations

import math

import pytest
import tensorflow as tf

from models.encoders.din import Din, DinOptions
from models.encoders.history import History
from tests.unit.models.histories import CLICKED

STEPS = tf.constant([[[1.0], [3.0], [9.0]]])
MASK = tf.constant([[True, True, False]])


def read(normaliser: str) -> tf.Tensor:
    """Two candidates, 2 and 0, on steps 1 and 3, by a network whose score of a step is target · step."""
    told = {"normaliser": normaliser, "attention_units": [1], "attention_activation": "relu"}
    encoder = Din(DinOptions.model_validate(told), CLICKED, name="seq_clicks")
    history = History(STEPS, MASK, tf.constant([[[2.0], [0.0]]]))
    encoder.read(history, False)
    (attention,) = encoder.layers
    attention.kernel.assign([[0.0], [0.0], [0.0], [1.0]])  # of [q, k, q - k, q * k] the last
    attention.bias.assign([0.0])
    attention.score.kernel.assign([[1.0]])
    attention.score.bias.assign([0.0])
    return encoder.read(history, False).told


def test_steps_are_weighted_by_what_the_candidate_sees_in_them() -> None:
    # Scores of the first candidate 2 and 6: (1·e² + 3·e⁶) / (e² + e⁶); the second sees all alike: their mean.
    first = (math.exp(2) + 3 * math.exp(6)) / (math.exp(2) + math.exp(6))
    assert read("softmax").numpy()[0, :, 0].tolist() == pytest.approx([first, 2.0], rel=1e-6)


def test_without_a_normaliser_the_strength_is_kept() -> None:
    # 2·1 + 6·3; and nothing of what the second candidate is blind to.
    assert read("none").numpy()[0, :, 0].tolist() == pytest.approx([20.0, 0.0])
