from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from models.layers.positions import PLACES, AddPositions, places_from_end, sinusoid, spans_of


def test_sines_and_cosines_in_turn() -> None:
    found = sinusoid(tf.constant([0, 3]), 3).numpy()
    slow = 3 / 10_000 ** (2 / 3)
    np.testing.assert_allclose(found, [[0, 1, 0], [math.sin(3), math.cos(3), math.sin(slow)]], atol=1e-6)


def test_places_count_real_steps_from_the_newest() -> None:
    mask = tf.constant([[True, False, True, True], [True, False, False, False], [False] * 4])
    assert places_from_end(mask).numpy().tolist() == [[3, 0, 2, 1], [1, 0, 0, 0], [0] * 4]


def test_spans_of_ages_double() -> None:
    ages = tf.constant([[0.0, 0.9, 1.0, 2.9, 3.0, 7.0, 1e30, 5.0]])
    mask = tf.constant([[True] * 7 + [False]])
    assert spans_of(ages, mask).numpy().tolist() == [[1, 1, 2, 2, 3, 4, 24, 0]]


def test_what_is_learnt_of_a_place_is_added() -> None:
    layer, steps = AddPositions("learnt", name="positions"), tf.ones((1, 3, 2))
    layer(steps, tf.constant([[0, 1, 2]]))
    layer.table.assign(tf.range(PLACES, dtype=tf.float32)[:, None] * [1.0, 10.0])
    found = layer(steps, tf.constant([[0, 2, PLACES + 5]])).numpy()
    assert found.tolist() == [[[1.0, 1.0], [3.0, 21.0], [PLACES, 10.0 * PLACES - 9.0]]]


def test_none_adds_nothing_and_others_are_told() -> None:
    layer = AddPositions("none", name="positions")
    assert layer(tf.ones((1, 1, 2)), tf.ones((1, 1), tf.int32)).numpy().tolist() == [[[1.0, 1.0]]]
    assert layer.weights == []
    with pytest.raises(ValueError, match="'sine'; expected one of none, sinusoid, learnt, ages"):
        AddPositions("sine", name="positions")
