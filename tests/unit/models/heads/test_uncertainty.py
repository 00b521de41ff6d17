"""Learnt weights of losses."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.heads.uncertainty import Uncertainty


def test_losses_weigh_one_at_first_and_less_the_more_uncertain_they_are_at_a_cost() -> None:
    layer = Uncertainty(name="uncertainty")
    weights, cost = layer(tf.zeros((3, 1, 2)))
    assert (weights.numpy().tolist(), float(cost)) == ([1.0, 1.0], 0.0)
    layer.log_variance.assign([np.log(4.0), 0.0])
    weights, cost = layer(tf.zeros((3, 1, 2)))
    assert weights.numpy() == pytest.approx([0.25, 1.0])
    assert float(cost) == pytest.approx(np.log(2.0))
