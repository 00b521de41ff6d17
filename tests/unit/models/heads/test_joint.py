"""Tasks that all come true, and powers of their probabilities: exact far from 0, and of what is known alone."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.heads.joint import joint_labels, joint_logit, joint_logits, log_power, logit_of_log
from models.tasks import Task

TASKS = (Task("click"), Task("cart", given="click"), Task("buy", given="cart"))


def test_the_logit_of_both_is_exact_however_far_from_zero_they_are() -> None:
    """At ±100 a product of probabilities, or what it leaves of 1, is 0 in float32."""
    a, b = tf.constant([0.0, 100.0, 100.0, -100.0, -100.0]), tf.constant([0.0, 100.0, -100.0, 100.0, -100.0])
    found = joint_logit(a, b)
    # Odds of ¼; e⁻¹⁰⁰ + e⁻¹⁰⁰ left; one alone is far off; the probability is e⁻²⁰⁰.
    assert found.numpy() == pytest.approx([-np.log(3), 100 - np.log(2), -100, -100, -200], rel=1e-6)
    with tf.GradientTape() as tape:
        tape.watch([a, b])
        loss = tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.zeros(5), logits=joint_logit(a, b))
    assert np.isfinite(np.stack(tape.gradient(loss, [a, b]))).all()


def test_a_chain_of_tasks_comes_true_as_a_whole() -> None:
    half = tf.constant([0.0])
    found = joint_logits(TASKS, {"click": half, "cart": half, "buy": half})
    shares = [float(tf.sigmoid(found[task.name])[0]) for task in TASKS]
    assert shares == pytest.approx([0.5, 0.25, 0.125])


def test_what_is_not_given_did_not_come_true_and_what_is_not_known_is_not_judged() -> None:
    """Clicked and bought; clicked, its end not known; not clicked; not known whether; put in the cart, not bought."""
    labels = [tf.constant(each) for each in (
        [1.0, 1.0, 0.0, -1.0, 1.0], [1.0, -1.0, -1.0, -1.0, 1.0], [1.0, -1.0, -1.0, -1.0, 0.0]
    )]  # fmt: skip
    click, cart, buy = (each.numpy().tolist() for each in joint_labels(TASKS, labels))
    assert click == [1, 1, 0, -1, 1]
    assert cart == [1, -1, 0, -1, 1]
    assert buy == [1, -1, 0, -1, 0]


def test_what_is_withheld_is_not_judged_and_of_rows_that_waited_a_label_is_of_both() -> None:
    """Withheld of what is clicked, and of what is not; asked where nobody asks whether it is clicked."""
    labels = [tf.constant([1.0, 0.0, -1.0, -1.0]), tf.constant([-2.0, -2.0, 2.5, 0.0])]
    assert joint_labels(TASKS[:2], labels)[1].numpy().tolist() == [-2, -2, 2.5, 0]


def test_a_score_is_the_product_of_powers_and_its_logit_is_finite_where_it_is_one() -> None:
    logits = tf.constant([[0.0, 0.0], [np.log(3.0), -np.log(3.0)], [200.0, 200.0]])
    found = log_power(logits, tf.constant([1.0, 0.5]))
    assert np.exp(found.numpy()) == pytest.approx([0.5 * 0.5**0.5, 0.75 * 0.25**0.5, 1.0])
    of_score = logit_of_log(found).numpy()
    assert 1 / (1 + np.exp(-of_score)) == pytest.approx(np.exp(found.numpy()))
    assert np.isfinite(of_score).all()
