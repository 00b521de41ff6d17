from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.encoders.bgru import Bgru
from models.encoders.gru import RecurrentOptions
from models.encoders.history import History
from tests.unit.models.histories import CLICKED

STEPS = tf.constant(np.random.default_rng(0).normal(size=(3, 4, 3)), tf.float32)
MASK = tf.constant([[True] * 4, [True, False, True, False], [False] * 4])
PARTS = (("ads", 2), ("makers", 1))


def told(encoder: Bgru) -> np.ndarray:
    return encoder.read(History(STEPS, MASK, None, parts=PARTS), False).told.numpy()


def test_what_both_ways_end_with() -> None:
    encoder = Bgru(RecurrentOptions(units=2), CLICKED, name="seq_ads")
    found = told(encoder)
    np.testing.assert_array_equal(found, encoder.units[0](STEPS, MASK)[1])
    assert found.shape == (3, 4)
    assert not found[2].any()


def test_the_mean_over_real_steps_of_both_states() -> None:
    encoder = Bgru(RecurrentOptions(units=2, readout="mean"), CLICKED, name="seq_ads")
    found = told(encoder)
    states = encoder.units[0](STEPS, MASK)[0].numpy()
    np.testing.assert_allclose(found[:2], [states[0].mean(0), states[1, [0, 2]].mean(0)], atol=1e-6)


def test_what_has_no_meaning_is_told() -> None:
    with pytest.raises(ValueError, match="option 'residual': what 'last' reads out is of two steps"):
        Bgru(RecurrentOptions(residual=True), CLICKED, name="seq_ads")
    with pytest.raises(ValueError, match="two states side by side are not 3 wide; say `units`"):
        told(Bgru(RecurrentOptions(), CLICKED, name="seq_ads"))
