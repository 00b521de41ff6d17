"""A gate's shares of experts, what they come to, and how much each is used."""

from __future__ import annotations

import pytest
import tensorflow as tf

from models.heads.gate import Gate, mixed, use_of


def test_the_shares_of_experts_are_a_softmax_of_both_sides_without_a_bias() -> None:
    gate = Gate(2, name="gate")
    request, item = tf.constant([[1.0]]), tf.constant([[[0.0], [2.0]]])
    gate(request, item)
    gate.reads = (("a", 1), ("b", 1))
    assert [weight.path for weight in gate.weights] == ["gate/kernel"]
    assert gate.weight_axes == {"kernel": ((("a", 1), ("b", 1)), None)}
    gate.kernel.assign([[1.0, 0.0], [0.5, 0.0]])
    e = 2.718281828
    assert gate(request, item).numpy()[0, :, 0] == pytest.approx([e / (e + 1), e**2 / (e**2 + 1)])


def test_of_a_candidate_alone_too() -> None:
    gate = Gate(3, name="gate")
    assert gate(tf.zeros((1, 0)), tf.ones((1, 2, 4))).shape == (1, 2, 3)


def test_experts_add_up_by_their_shares() -> None:
    shares = tf.constant([[[0.25, 0.75]]])
    experts = [tf.constant([[[4.0, 0.0]]]), tf.constant([[[0.0, 8.0]]])]
    assert mixed(shares, experts).numpy().tolist() == [[[1.0, 6.0]]]


def test_an_expert_is_used_as_real_candidates_use_it() -> None:
    shares = tf.constant([[[0.25, 0.75], [1.0, 0.0]], [[0.75, 0.25], [1.0, 0.0]]])
    assert use_of(shares, tf.constant([[True, False], [True, False]])).numpy().tolist() == [0.5, 0.5]
    assert use_of(shares, None).numpy().tolist() == [0.75, 0.25]
