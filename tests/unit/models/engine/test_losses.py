from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.engine.losses import LOSSES, binary, by_task, counts, of_score, pairwise, softmax, weighted_sum
from models.outputs import Outputs
from models.tasks import Score, Task

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


TWO = (Task("click"), Task("buy", weight=0.5, given="click"))
SCORES = {"click": tf.constant([[0.0], [1.0], [-2.0]]), "buy": tf.constant([[0.0], [-1.0], [3.0]])}
TOLD = [
    tf.constant([[1.0], [1.0], [0.0]]), tf.constant([[1.0], [0.0], [-1.0]]), tf.ones((3, 1)),
    tf.constant([1.0, 2.0, 1.0]),
]  # fmt: skip
"""Bought; clicked, and weighing two; not clicked."""


def _both() -> np.ndarray:
    click, buy = (1 / (1 + np.exp(-SCORES[name].numpy().ravel().astype(np.float64))) for name in ("click", "buy"))
    return np.asarray(click * buy)


def test_a_task_is_learnt_of_what_was_judged_or_together_with_what_it_is_given_of_all_rows() -> None:
    both = _both()
    alone = by_task(TWO, Outputs(SCORES, {}, {}), TOLD)
    assert float(alone["buy"]) == pytest.approx((np.log(2) + 2 * np.log1p(np.exp(-1))) / 2)
    entire = by_task(TWO, Outputs(SCORES, {}, {}), TOLD, entire=True)
    assert float(entire["click"]) == float(alone["click"])
    assert float(entire["buy"]) == pytest.approx(
        (-np.log(both[0]) - 2 * np.log1p(-both[1]) - np.log1p(-both[2])) / 3
    )


def test_a_model_may_weigh_losses_as_a_whole_or_pair_by_pair() -> None:
    plain = by_task(TWO, Outputs(SCORES, {}, {}), TOLD)
    weights = {"click": tf.constant(0.25), "buy": tf.constant([[3.0], [0.0], [1.0]])}
    losses = by_task(TWO, Outputs(SCORES, {}, {}, weights), TOLD)
    assert float(losses["click"]) == float(plain["click"]), "told before its weight"
    assert float(losses["buy"]) == pytest.approx(3 * np.log(2)), "the second pair weighs nothing"
    lowered = weighted_sum(TWO, losses, (), (), weights)
    assert float(lowered) == pytest.approx(0.25 * float(plain["click"]) + 0.5 * 3 * np.log(2))


def test_the_loss_of_the_score_is_of_the_product_of_powers_over_all_rows() -> None:
    click, buy = (1 / (1 + np.exp(-SCORES[name].numpy().ravel().astype(np.float64))) for name in ("click", "buy"))
    score = click * buy**0.5
    expected = (-np.log(score[0]) - 2 * np.log1p(-score[1]) - np.log1p(-score[2])) / 3
    assert float(of_score(TWO, Score({"click": 1.0, "buy": 0.5}), SCORES, TOLD)) == pytest.approx(expected, rel=1e-5)
    of_click = float(of_score(TWO, Score({"click": 1.0}), SCORES, TOLD))
    assert of_click == pytest.approx(float(by_task(TWO, Outputs(SCORES, {}, {}), TOLD)["click"]), rel=1e-5)


def test_losses_say_over_how_many_pairs_or_requests_they_are_means() -> None:
    """Three were asked of the click, of which one weighs nothing; two clicked; the score is of whoever clicked."""
    told = [*TOLD[:3], tf.constant([1.0, 2.0, 0.0])]
    score = Score({"click": 1.0, "buy": 0.5}, 0.2)
    found = {name: float(each) for name, each in counts(TWO, told, score).items()}
    assert found == {"click": 2.0, "buy": 2.0, "score": 2.0}
    assert float(counts(TWO, TOLD, entire=True)["buy"]) == 3.0
    softmaxes = (Task(loss="softmax"),)
    assert float(counts(softmaxes, [LABEL, MASK, tf.ones(2)])["label"]) == 2.0
    assert float(counts(softmaxes, [LABEL * [[1.0], [0.0]], MASK, tf.ones(2)])["label"]) == 1.0
    assert float(counts((Task(),), [LABEL, MASK, tf.ones(2)])["label"]) == 5.0
    assert float(counts((Task(),), [LABEL, MASK, tf.zeros(2)])["label"]) == 1.0, "nothing is divided by zero"
