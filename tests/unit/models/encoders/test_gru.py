from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.encoders.gru import Gru, RecurrentOptions
from models.encoders.history import History
from models.layers.pooling import read_out
from tests.unit.models.histories import CLICKED

DRAW = np.random.default_rng(0)
STEPS = tf.constant(DRAW.normal(size=(3, 4, 3)), tf.float32)
MASK = tf.constant([[True] * 4, [True, False, True, False], [False] * 4])
PARTS = (("ads", 2), ("makers", 1))


def made(**options: Any) -> Gru:
    return Gru(RecurrentOptions.model_validate(options), CLICKED, name="seq_ads")


def told(encoder: Gru) -> np.ndarray:
    return encoder.read(History(STEPS, MASK, None, parts=PARTS), False).told.numpy()


def test_the_state_after_the_last_step_as_wide_as_a_step() -> None:
    encoder = made()
    found = told(encoder)
    (unit,) = encoder.units
    np.testing.assert_array_equal(found, unit(STEPS, MASK)[:, -1])
    assert found.shape == (3, 3)
    assert not found[2].any()
    assert unit.weight_axes == {"kernel": (PARTS, None)}


def test_parts_may_be_streams_with_states_of_their_own() -> None:
    encoder = made(streams="apart", units=5, readout="sum")
    found = told(encoder)
    assert [unit.name for unit in encoder.units] == ["seq_ads_ads", "seq_ads_makers"]
    for unit, steps, of in zip(encoder.units, (STEPS[..., :2], STEPS[..., 2:]), (slice(5), slice(5, 10)), strict=True):
        np.testing.assert_allclose(found[:, of], read_out(unit(steps, MASK), MASK, "sum"), atol=1e-6)
    assert [unit.weight_axes["kernel"][0] for unit in encoder.units] == [PARTS[:1], PARTS[1:]]


def test_steps_may_be_added_to_their_states_and_these_normalised() -> None:
    encoder = made(residual=True, normalise=True, readout="mean")
    found = told(encoder)
    states = encoder.units[0](STEPS, MASK).numpy() + STEPS.numpy()
    normal = (states - states.mean(-1, keepdims=True)) / np.sqrt(states.var(-1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(found[:2], [normal[0].mean(0), normal[1, [0, 2]].mean(0)], atol=1e-5)
    assert not found[2].any()


def test_a_step_is_not_added_to_a_state_of_another_width() -> None:
    with pytest.raises(ValueError, match="history 'clicked', option 'residual': a state has 2 values and a step 3"):
        told(made(residual=True, units=2))


def test_streams_of_parts_that_are_steps_of_their_own_are_refused() -> None:
    with pytest.raises(ValueError, match="history 'clicked', option 'streams': laid out 'stacked' each step is one pa"):
        made(streams="apart").read(History(STEPS, MASK, None, parts=(("clicked", 3),)), False)
