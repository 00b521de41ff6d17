"""The encoder attentive: sums of the steps by weights of their own."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.encoders.attentive import Attentive, AttentiveOptions
from models.encoders.history import History
from tests.unit.models.histories import CLICKED

STEPS = tf.constant(np.random.default_rng(0).normal(size=(2, 4, 3)), tf.float32)
MASK = tf.constant([[True, False, True, False], [False] * 4])


def test_hops_stand_side_by_side_and_one_keeps_the_places_of_a_step() -> None:
    encoder = Attentive(AttentiveOptions(units=2, hops=2), CLICKED, name="seq_ads")
    told = encoder.read(History(STEPS, MASK, None), False).told.numpy()
    np.testing.assert_array_equal(told, tf.reshape(encoder.pooling(STEPS, MASK), (2, 6)))
    assert not told[1].any()
    assert not encoder.keeps_places
    assert Attentive(AttentiveOptions(), CLICKED, name="seq_ads").keeps_places
