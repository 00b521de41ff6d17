from __future__ import annotations

import math

import pytest
import tensorflow as tf

from models.encoders.history import History, Negatives
from models.encoders.next_steps import NextOptions, next_step_layer, next_step_losses

NEGATIVES = Negatives(tf.constant([[[[9.0]], [[2.0]]]]), tf.constant([[[True], [True]]]))
HISTORY = History(tf.constant([[[1.0], [3.0]]]), tf.constant([[True, True]]), None, negatives=NEGATIVES)


def test_the_loss_is_there_in_training_alone_and_its_network_always() -> None:
    layer = next_step_layer(NextOptions(weight=0.5, units=(2,)), "seq")
    told = next_step_losses(layer, 0.5, lambda: tf.zeros((1, 2, 4)), 4, HISTORY, False)
    assert not told
    assert layer is not None
    assert [w.shape for w in layer.weights] == [(5, 2), (2,), (2, 1), (1,)]


def test_what_is_known_so_far_tells_the_next_step_from_its_negative() -> None:
    # The state 1 against the step 3 and the negative 2.
    layer = next_step_layer(NextOptions(weight=0.5), "seq")
    told = next_step_losses(layer, 0.5, lambda: HISTORY.steps, 1, HISTORY, True)["next"]
    assert told.weight == 0.5
    assert float(told.value) == pytest.approx(math.log(1 + math.exp(-3)) + math.log(1 + math.exp(2)))


def test_without_a_weight_there_is_no_loss() -> None:
    assert next_step_layer(NextOptions(), "seq") is None
    assert not next_step_losses(None, 0.0, lambda: HISTORY.steps, 1, HISTORY, True)
    with pytest.raises(ValueError, match=r"`next\.units` would have no effect"):
        next_step_layer(NextOptions(units=(3,)), "seq")
