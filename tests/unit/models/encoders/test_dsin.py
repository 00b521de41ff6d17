"""The encoder dsin: sessions as a candidate sees them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.encoders.dsin import Dsin, DsinOptions
from models.encoders.history import History
from tests.unit.models.histories import CLICKED

DRAW = np.random.default_rng(0)
STEPS = tf.constant(DRAW.normal(size=(3, 6, 4)), tf.float32)
# Three sessions of two steps: all; the second alone, with one step; none.
MASK = tf.constant([[True] * 6, [False, False, True, False, False, False], [False] * 6])
TARGET = tf.constant(DRAW.normal(size=(3, 2, 4)), tf.float32)


def made(**options: Any) -> Dsin:
    return Dsin(DsinOptions.model_validate(options), CLICKED, name="seq_ads")


def read(encoder: Dsin, steps: tf.Tensor = STEPS, target: tf.Tensor = TARGET) -> np.ndarray:
    return encoder.read(History(steps, MASK, target, sessions=3), False).told.numpy()


@pytest.mark.parametrize(("attention", "width"), [("network", 8), ("bilinear", 12)])
def test_a_candidate_sees_sessions_and_what_lstms_hold_at_each(attention: str, width: int) -> None:
    encoder = made(attention=attention)
    told = read(encoder)
    assert told.shape == (3, 2, width)
    assert np.abs(told[0, 0] - told[0, 1]).max() > 1e-6
    assert not told[2].any()
    # Of one session both candidates see that one: the mean of its one step, by whatever they attend.
    assert encoder.bias is not None
    step = encoder.block(STEPS[1:2, 2:3], tf.constant([[True]]))[0, 0]
    np.testing.assert_allclose(told[1, :, :4], [step, step], atol=1e-6)
    np.testing.assert_allclose(read(encoder, tf.where(MASK[..., None], STEPS, 7.0)), told, atol=1e-6)


def test_the_order_of_sessions_matters() -> None:
    encoder = made(bias=False)
    turned = tf.reshape(tf.reverse(tf.reshape(STEPS, (3, 3, 2, 4)), [1]), (3, 6, 4))
    told, other = read(encoder)[0], read(encoder, turned)[0]
    np.testing.assert_allclose(told[:, :4], other[:, :4], atol=1e-6)
    assert np.abs(told[:, 4:] - other[:, 4:]).max() > 1e-6


def test_what_cannot_be_is_told() -> None:
    with pytest.raises(ValueError, match="`attention_units` would have no effect"):
        made(attention="bilinear", attention_units=[3])
    with pytest.raises(ValueError, match="3 heads do not divide a step of 4 values"):
        made(heads=3).check_width(4)
