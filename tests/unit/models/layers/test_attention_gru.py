from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.layers.attention_gru import AGRU, AIGRU, AUGRU
from models.layers.gru import GRU

DRAW = np.random.default_rng(0)
STEPS = tf.constant(DRAW.normal(size=(3, 4, 2)), tf.float32)
MASK = tf.constant([[True, True, True, True], [True, False, True, False], [False] * 4])
NONE, ALL = tf.zeros((3, 4)), tf.ones((3, 4))


def test_without_attention_the_papers_gate_changes_nothing_and_the_codes_is_a_gru() -> None:
    assert not np.any(AUGRU(3, "paper", name="augru")(STEPS, MASK, NONE))
    layer, gru = AUGRU(3, "reference", name="augru"), GRU(3, name="gru")
    out = layer(STEPS, MASK, NONE)
    gru.build(STEPS.shape)
    gru.set_weights([w.numpy() for w in layer.weights])
    np.testing.assert_allclose(out, gru(STEPS, MASK), atol=1e-6)


def test_with_all_attention_a_state_is_its_candidate() -> None:
    layer, agru = AUGRU(3, "reference", name="augru"), AGRU(3, name="agru")
    out = layer(STEPS, MASK, ALL)
    agru.build(STEPS.shape)
    agru.set_weights([layer.kernel.numpy()[:, 3:], layer.recurrent_kernel.numpy()[:, 3:], layer.bias.numpy()[:, 3:]])
    np.testing.assert_allclose(out, agru(STEPS, MASK, ALL), atol=1e-6)


def test_attention_on_the_input_multiplies_it() -> None:
    layer, half = AIGRU(3, name="aigru"), tf.fill((3, 4), 0.5)
    np.testing.assert_allclose(layer(STEPS, MASK, half), layer.gru(0.5 * STEPS, MASK), atol=1e-6)


def test_a_gate_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="'gru'; expected paper or reference"):
        AUGRU(3, "gru", name="augru")
