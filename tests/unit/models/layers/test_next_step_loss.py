"""The loss of telling the next step from others, by hand; golden numbers in ``tests/unit/models/test_golden.py``."""

from __future__ import annotations

import math

import pytest
import tensorflow as tf

from models.layers.next_step_loss import NextStepLoss

# One value a step: 1, a gap, 2; then -1 with a negative for it. Nothing else begins with a step.
STEPS = tf.constant([[[1.0], [9.0], [2.0], [-1.0]], [[9.0], [3.0], [9.0], [9.0]], [[9.0]] * 4])
MASK = tf.constant([[True, False, True, True], [False, True, False, False], [False] * 4])
NEGATIVES = tf.constant([[[[7.0], [7.0]], [[7.0], [7.0]], [[0.5], [1.5]], [[1.0], [7.0]]], *[[[[7.0], [7.0]]] * 4] * 2])
OTHERS = tf.constant([[[True, True], [False, False], [True, True], [True, False]], *[[[True, True]] * 4] * 2])


def log_loss(right: float, *wrong: float) -> float:
    return math.log(1 + math.exp(-right)) + sum(math.log(1 + math.exp(each)) for each in wrong) / len(wrong)


def loss(mask: tf.Tensor = MASK, others: tf.Tensor = OTHERS) -> float:
    layer = NextStepLoss(name="next")
    layer.build(STEPS.shape, STEPS.shape)
    states = tf.constant([[[1.0], [1.0], [2.0], [2.0]], [[0.0], [3.0], [3.0], [3.0]], [[0.0]] * 4])
    return float(layer(states, STEPS, mask, NEGATIVES, others))


def test_the_mean_is_over_steps_that_have_one_before_them_and_negatives() -> None:
    # Over the gap the state 1 tells the step 2 from .5 and 1.5; the state 2 tells -1 from 1, its only negative.
    assert loss() == pytest.approx((log_loss(2.0, 0.5, 1.5) + log_loss(-2.0, 2.0)) / 2, rel=1e-6)


def test_a_step_without_negatives_is_no_pair() -> None:
    none = tf.concat([OTHERS[:, :2], tf.zeros_like(OTHERS[:, 2:3]), OTHERS[:, 3:]], axis=1)
    assert loss(others=none) == pytest.approx(log_loss(-2.0, 2.0), rel=1e-6)
    assert loss(others=tf.zeros_like(OTHERS)) == 0.0
    assert loss(mask=tf.zeros_like(MASK)) == 0.0


def test_an_inner_product_is_of_vectors_of_one_width() -> None:
    with pytest.raises(ValueError, match="a state of 3 values has no inner product with a step of 2; give the loss `u"):
        NextStepLoss(name="next").build((None, 4, 3), (None, 4, 2))


def test_the_kernel_says_what_its_rows_are_of() -> None:
    layer = NextStepLoss([3], name="next")
    layer.state_of, layer.step_of = (("clicks", 4),), (("ad", 1), ("author", 2))
    layer.build((None, 4, 4), (None, 4, 3))
    rows = (("state of clicks", 4), ("next step of ad", 1), ("next step of author", 2))
    assert layer.weight_axes == {"kernel": (rows, None)}
    assert layer.kernel.shape == (7, 3)
    assert NextStepLoss(name="product").weight_axes == {}
