from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.engine.losses import LOSSES, binary, pairwise, softmax

LOGITS = tf.constant([[1.0, -1.0, 5.0], [0.5, 2.0, 0.0]])
LABEL = tf.constant([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
MASK = tf.constant([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])


def test_binary_is_the_mean_over_real_pairs() -> None:
    def ce(logit: float, label: float) -> float:
        p = 1 / (1 + np.exp(-logit))
        return float(-np.log(p if label else 1 - p))

    expected = (ce(1, 1) + ce(-1, 0) + ce(0.5, 0) + ce(2, 1) + ce(0, 0)) / 5
    assert float(binary(LOGITS, LABEL, MASK, tf.ones(2))) == pytest.approx(expected, rel=1e-6)
    weighted = (0.5 * (ce(1, 1) + ce(-1, 0)) + 2 * (ce(0.5, 0) + ce(2, 1) + ce(0, 0))) / 5
    assert float(binary(LOGITS, LABEL, MASK, tf.constant([0.5, 2.0]))) == pytest.approx(weighted, rel=1e-6)


def test_softmax_is_cross_entropy_over_real_candidates() -> None:
    first = -np.log(np.exp(1) / (np.exp(1) + np.exp(-1)))
    second = -np.log(np.exp(2) / (np.exp(0.5) + np.exp(2) + 1))
    assert float(softmax(LOGITS, LABEL, MASK, tf.ones(2))) == pytest.approx((first + second) / 2, rel=1e-6)


def test_softmax_of_two_positives_is_their_mass_together() -> None:
    label = tf.constant([[1.0, 1.0, 0.0]])
    expected = -np.log((np.exp(1) + np.exp(-1)) / (np.exp(1) + np.exp(-1) + np.exp(5)))
    assert float(softmax(LOGITS[:1], label, tf.ones((1, 3)), tf.ones(1))) == pytest.approx(expected, rel=1e-6)


def test_a_request_without_positive_is_left_out_of_softmax() -> None:
    label = tf.constant([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    alone = softmax(LOGITS[:1], LABEL[:1], MASK[:1], tf.ones(1))
    assert float(softmax(LOGITS, label, MASK, tf.ones(2))) == pytest.approx(float(alone), rel=1e-6)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_request_of_weight_zero_changes_neither_loss_nor_gradient(name: str) -> None:
    def run(logits: tf.Tensor, weight: list[float], rows: int) -> tuple[float, np.ndarray]:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = LOSSES[name](logits, LABEL[:rows], MASK[:rows], tf.constant(weight))
        return float(loss), tape.gradient(loss, logits).numpy()

    alone, gradient = run(LOGITS[:1], [1.0], 1)
    both, padded = run(tf.concat([LOGITS[:1], [[1e30, -1e30, 0.0]]], axis=0), [1.0, 0.0], 2)
    assert both == alone
    np.testing.assert_array_equal(padded[:1], gradient)
    np.testing.assert_array_equal(padded[1], np.zeros(3))


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_padding_candidate_changes_nothing_even_if_infinite(name: str) -> None:
    logits = tf.constant([[1.0, -1.0, np.inf]])
    loss = LOSSES[name](logits, LABEL[:1], MASK[:1], tf.ones(1))
    assert float(loss) == float(LOSSES[name](LOGITS[:1], LABEL[:1], MASK[:1], tf.ones(1)))


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_nothing_but_padding_gives_zero(name: str) -> None:
    assert float(LOSSES[name](LOGITS, LABEL, tf.zeros((2, 3)), tf.zeros(2))) == 0.0


def test_pairs_are_of_one_user_and_weigh_what_both_rows_do() -> None:
    """User 0: the second row is clicked, the others are not; user 1 clicked all; one row is padding, one not judged."""
    logits = tf.constant([[1.0], [2.0], [0.5], [3.0], [4.0], [np.inf], [7.0]])
    label = tf.constant([[0.0], [1.0], [0.0], [1.0], [1.0], [0.0], [-1.0]])
    user, weight = tf.constant([0.0, 0, 0, 1, 1, 1, 0]), tf.constant([1.0, 0.5, 2, 1, 1, 0, 1])
    expected = (0.5 * 1 * np.log1p(np.exp(1 - 2)) + 0.5 * 2 * np.log1p(np.exp(0.5 - 2))) / 6
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = pairwise(logits, label, tf.ones((7, 1)), weight, user)
    assert float(loss) == pytest.approx(expected, rel=1e-6)
    gradient = tape.gradient(loss, logits).numpy().ravel()
    assert np.isfinite(gradient).all()
    assert (np.sign(gradient) == [1, -1, 1, 0, 0, 0, 0]).all()
