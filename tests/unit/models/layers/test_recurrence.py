from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from models.layers import recurrence
from models.layers.recurrence import Gate, Weights, gates_of, recur

DRAW = np.random.default_rng(0)
STEPS = tf.constant(DRAW.normal(size=(6, 5, 3)), tf.float32)
SCORES = tf.constant(DRAW.uniform(size=(6, 5)), tf.float32)
PROBE = tf.constant(DRAW.normal(size=(6, 5, 4)), tf.float32)
MASK = np.array(
    [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0], [0, 1, 0, 1, 0], [1, 0, 0, 0, 0], [0, 0, 1, 1, 1]], bool
)
HAVE_SCORES = ("paper", "reference", "agru")


def weights(gate: str) -> Weights:
    draw, gates = np.random.default_rng(1), 4 * gates_of(gate)
    shapes = ((3, gates), (gates,), (4, gates), (gates,))
    return Weights(*(tf.constant(draw.normal(size=shape, scale=0.5), tf.float32) for shape in shapes))


def step_by_step(steps: tf.Tensor, scores: tf.Tensor, w: Weights, gate: str, reset: str) -> tf.Tensor:
    """The recurrence as it is written, for TensorFlow to take the gradient of."""
    state, states = tf.zeros((steps.shape[0], 4)), []
    for t in range(steps.shape[1]):
        given = tf.split(steps[:, t] @ w.kernel + w.bias, gates_of(gate), axis=1)
        told = tf.split(state @ w.recurrent + w.recurrent_bias, gates_of(gate), axis=1)
        r = tf.sigmoid(given[-2] + told[-2]) if gate != "none" else 1.0
        u = tf.sigmoid(given[0] + told[0])
        of_state = r * told[-1]
        if reset == "before" and gate != "none":
            of_state = (r * state) @ w.recurrent[:, -4:] + w.recurrent_bias[-4:]
        c, a = tf.tanh(given[-1] + of_state), scores[:, t, None]
        new = {
            "gru": lambda u=u, c=c, h=state: u * h + (1 - u) * c,
            "paper": lambda u=u, c=c, h=state, a=a: (1 - a * u) * h + a * u * c,
            "reference": lambda u=u, c=c, h=state, a=a: (1 - a) * u * h + (1 - (1 - a) * u) * c,
            "agru": lambda c=c, h=state, a=a: (1 - a) * h + a * c,
            "none": lambda c=c: c,
        }[gate]()
        state = tf.where(MASK[:, t, None], new, state)
        states.append(state)
    return tf.stack(states, axis=1)


@pytest.mark.parametrize(("block", "alone"), [(6, False), (2, False), (2, True)])
@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("gate", get_args(Gate))
def test_states_and_gradients_are_those_of_the_recurrence_as_it_is_written(
    gate: str, reset: str, block: int, alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recurrence, "LEAST_BLOCK", block)
    given = [STEPS, SCORES, *weights(gate)]

    def own() -> tf.Tensor:
        scores = given[1] if gate in HAVE_SCORES else None
        return recur(given[0], tf.constant(MASK), scores, Weights(*given[2:]), gate=gate, reset=reset)[alone]

    def written() -> tf.Tensor:
        states = step_by_step(given[0], given[1], Weights(*given[2:]), gate, reset)
        return states[:, -1] if alone else states

    found = []
    for states in (own, written):
        with tf.GradientTape() as tape:
            tape.watch(given)
            out = states()
            loss = tf.reduce_sum(out * (PROBE[:, 0] if alone else PROBE))
        found.append([out, *tape.gradient(loss, given, unconnected_gradients=tf.UnconnectedGradients.ZERO)])
    for mine, expected in zip(*found, strict=True):
        np.testing.assert_allclose(mine, expected, atol=2e-6)


def test_a_compiled_step_stops_at_the_last_real_one_and_repeats_its_state() -> None:
    mask = tf.constant(MASK[[1, 4]])

    @tf.function(jit_compile=True, autograph=False)
    def states(steps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(steps)
            out = recur(steps, mask, None, weights("gru"), gate="gru", reset="after")[0]
        return out, tape.gradient(out, steps)

    out, gradient = states(tf.gather(STEPS, [1, 4]))
    np.testing.assert_array_equal(out[0, 1:], np.repeat(out[0, 1:2], 4, axis=0))
    np.testing.assert_array_equal(out[1, 1:], np.repeat(out[1, :1], 4, axis=0))
    assert np.abs(gradient[0, :2]).min() > 0
    assert not np.any(gradient[0, 2:])
    assert not np.any(gradient[1, 1:])


@pytest.mark.parametrize("real", [False, True])
def test_rows_whose_number_is_not_known_beforehand_may_have_no_step_at_all(real: bool) -> None:
    states = tf.function(
        lambda steps, mask: recur(steps, mask, None, weights("gru"), gate="gru", reset="after")[0], autograph=False
    ).get_concrete_function(tf.TensorSpec((None, 5, 3)), tf.TensorSpec((None, 5), tf.bool))
    out = states(STEPS[:1], tf.fill((1, 5), real))
    np.testing.assert_allclose(
        out, recur(STEPS[:1], tf.fill((1, 5), real), None, weights("gru"), gate="gru", reset="after")[0], atol=1e-6
    )
    assert bool(np.any(out)) is real


def test_a_state_by_hand() -> None:
    """x 1; u = sigmoid(1), the candidate tanh(2): kept of nothing is nothing."""
    w = Weights(*(tf.constant(each, tf.float32) for each in ([[1, 0, 2]], [0, 0, 0], [[0, 0, 0]], [0, 0, 0])))
    one = tf.ones((1, 1, 1))
    u, c = 1 / (1 + math.exp(-1)), math.tanh(2)
    for gate, score, expected in (
        ("gru", None, (1 - u) * c),
        ("paper", 0.5, 0.5 * u * c),
        ("reference", 0.5, (1 - 0.5 * u) * c),
        ("reference", 1.0, c),
        ("paper", 0.0, 0.0),
    ):
        scores = None if score is None else tf.constant([[score]])
        out, _ = recur(one, tf.constant([[True]]), scores, w, gate=gate, reset="after")
        assert float(out[0, 0, 0]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("gate", "reset", "scores", "said"),
    [
        ("lstm", "after", None, "'lstm'; expected one of gru, paper, reference, agru, none"),
        ("gru", "between", None, "'between'; expected one of after, before"),
        ("paper", "after", None, "'paper' needs scores"),
        ("gru", "after", SCORES, "'gru' has no scores"),
    ],
)
def test_what_is_no_recurrence_is_told(gate: str, reset: str, scores: tf.Tensor | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        recur(STEPS, tf.constant(MASK), scores, weights("gru"), gate=gate, reset=reset)


@pytest.mark.parametrize("gate", get_args(Gate))
def test_of_no_steps_there_is_no_state_and_the_last_is_zero(gate: str) -> None:
    """As an exported model may be asked, which is not told how many there are."""

    @tf.function(
        input_signature=(tf.TensorSpec((None, None, 3)), tf.TensorSpec((None, None))), autograph=False
    )
    def asked(steps: tf.Tensor, scores: tf.Tensor) -> object:
        given = scores if gate in HAVE_SCORES else None
        return recur(steps, scores > 0, given, weights(gate), gate=gate, reset="after", training=False)

    every, last = asked(STEPS[:, :0], SCORES[:, :0])
    assert (every.shape, last.shape, bool(np.any(last))) == ((6, 0, 4), (6, 4), False)
    given = SCORES if gate in HAVE_SCORES else None
    whole, _ = recur(STEPS, SCORES > 0, given, weights(gate), gate=gate, reset="after")
    np.testing.assert_allclose(asked(STEPS, SCORES)[0], whole, atol=1e-6)
