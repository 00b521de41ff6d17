"""A gated recurrence over masked steps, with a gradient of its own.

Nothing but the states is kept from the forward pass: going backwards, each step's gates are computed anew, and the
gradients of the weights are added up, while its rows are in the processor's cache. Rows are sorted by their last real
step into blocks, each of which stops there, so that padding costs little.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import tensorflow as tf

Gate = Literal["gru", "paper", "reference", "agru", "none"]
"""What a step keeps of the state, of an update gate ``u`` and an attention score ``a``: ``u`` (GRU), ``1 - a·u`` (AUGRU
of the paper), ``(1 - a)·u`` (AUGRU of its authors' code), ``1 - a`` (AGRU), nothing (a plain recurrent network)."""

Reset = Literal["after", "before"]
"""Where the reset gate acts: on what the state gives the candidate, or on the state itself."""

BLOCK = 256
"""Rows of a block: fewer end sooner, but each step of each block costs the same again."""


class Weights(NamedTuple):
    """Of a recurrence, gates side by side in the order update | reset | candidate, those that it has.

    Attributes:
        kernel: ``[dim, gates · units]``.
        bias: ``[gates · units]``.
        recurrent: ``[units, gates · units]``.
        recurrent_bias: ``[gates · units]``, added to what the state gives.
    """

    kernel: tf.Tensor
    bias: tf.Tensor
    recurrent: tf.Tensor
    recurrent_bias: tf.Tensor


def gates_of(gate: str) -> int:
    """How many matrices a recurrence has side by side, the candidate's included."""
    return {"agru": 2, "none": 1}.get(gate, 3)


def recur(
    steps: tf.Tensor, mask: tf.Tensor, scores: tf.Tensor | None, weights: Weights, *, gate: str, reset: str
) -> tf.Tensor:
    """The state after every step; a masked step keeps it, and before the first real one it is zero.

    Args:
        steps: ``[batch, steps, dim]``.
        mask: bool ``[batch, steps]``.
        scores: ``[batch, steps]``, attention of each step; only where the gate has one.

    Returns:
        ``[batch, steps, units]``.

    Raises:
        ValueError: no such gate or reset, or scores where there should be none, or the other way round.
    """
    for value, allowed in ((gate, get_args(Gate)), (reset, get_args(Reset))):
        if value not in allowed:
            raise ValueError(f"recurrence '{value}'; expected one of {', '.join(allowed)}")
    if (scores is None) == (gate in ("paper", "reference", "agru")):
        raise ValueError(f"the gate '{gate}' {'needs scores' if scores is None else 'has no scores'}")
    given = tf.ones(tf.shape(mask), steps.dtype) if scores is None else scores
    batch = steps.shape[0]
    blocks = 1 if batch is None else max(batch // BLOCK, 1)
    if blocks == 1 or batch % blocks:
        return _Recurrence(gate, reset, mask)(steps, given, weights)
    order = tf.argsort(_ends(mask))
    back = tf.argsort(order)
    parts = [tf.split(each, blocks) for each in (_ordered(steps, order, back), _ordered(given, order, back))]
    masks = tf.split(tf.gather(mask, order), blocks)
    found = [_Recurrence(gate, reset, real)(x, a, weights) for x, a, real in zip(*parts, masks, strict=True)]
    return _ordered(tf.concat(found, axis=0), back, order)


def _ordered(rows: tf.Tensor, order: tf.Tensor, back: tf.Tensor) -> tf.Tensor:
    """Rows in another order, whose gradient is put back by reading: a scatter would add row by row."""

    @tf.custom_gradient
    def ordered(rows: tf.Tensor) -> object:
        return tf.gather(rows, order), lambda wanted: tf.gather(wanted, back)

    return ordered(rows)


def _ends(mask: tf.Tensor) -> tf.Tensor:
    """The number of steps up to the last real one, ``[batch]``."""
    return tf.reduce_max(tf.where(mask, tf.range(1, tf.shape(mask)[1] + 1), 0), axis=1)


class _Step(NamedTuple):
    """One step's gates, ``[batch, units]``: what is kept, and what it is made of."""

    keep: tf.Tensor
    update: tf.Tensor
    reset: tf.Tensor
    candidate: tf.Tensor
    of_state: tf.Tensor


class _Recurrence:
    """Rows that stop together."""

    def __init__(self, gate: str, reset: str, mask: tf.Tensor) -> None:
        self.gate = gate
        self.before = reset == "before" and gate != "none"
        self.real = tf.transpose(mask)[..., None]
        # One step at least, if a masked one: of no step there would be no states.
        self.stop = tf.maximum(tf.reduce_max(_ends(mask)), 1)

    def __call__(self, steps: tf.Tensor, scores: tf.Tensor, weights: Weights) -> tf.Tensor:
        @tf.custom_gradient
        def states(steps: tf.Tensor, scores: tf.Tensor, *weights: tf.Tensor) -> object:
            by_step, by_score = tf.transpose(steps, (1, 0, 2)), tf.transpose(scores)[..., None]
            found, last = self._forwards(by_step, by_score, Weights(*weights))
            reached = (tf.range(tf.shape(steps)[1]) < self.stop)[:, None, None]

            def gradient(wanted: tf.Tensor) -> tuple[tf.Tensor, ...]:
                wanted = tf.transpose(wanted, (1, 0, 2))
                behind = tf.reduce_sum(tf.where(reached, 0.0, wanted), axis=0)
                return self._backwards(by_step, by_score, Weights(*weights), found, wanted, behind)

            return tf.transpose(tf.where(reached, found, last), (1, 0, 2)), gradient

        return states(steps, scores, *weights)

    def _forwards(self, steps: tf.Tensor, scores: tf.Tensor, weights: Weights) -> tuple[tf.Tensor, tf.Tensor]:
        """States up to the stop, ``[steps, batch, units]``, and the last."""
        first = tf.zeros((tf.shape(steps)[1], weights.recurrent.shape[0]), steps.dtype)

        def step(t: tf.Tensor, state: tf.Tensor, kept: tf.TensorArray) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray]:
            it = self._step(t, steps, scores, state, weights)
            state = it.keep * state + (1.0 - it.keep) * it.candidate
            return t + 1, state, kept.write(t, state)

        kept = _array(steps, first)
        _, last, kept = tf.while_loop(lambda t, *_: t < self.stop, step, (0, first, kept))
        return kept.stack(), last

    def _step(self, t: tf.Tensor, steps: tf.Tensor, scores: tf.Tensor, state: tf.Tensor, weights: Weights) -> _Step:
        units = weights.recurrent.shape[0]
        given = tf.matmul(steps[t], weights.kernel) + weights.bias
        first = weights.recurrent.shape[1] - units if self.before else weights.recurrent.shape[1]
        told = tf.matmul(state, weights.recurrent[:, :first]) + weights.recurrent_bias[:first]
        of_state = told[:, -units:]
        one = tf.ones_like(state)
        update = tf.sigmoid(given[:, :units] + told[:, :units]) if gates_of(self.gate) == 3 else one
        at = weights.recurrent.shape[1] - units
        reset = tf.sigmoid(given[:, at - units : at] + told[:, at - units : at]) if self.gate != "none" else one
        if self.before:
            of_state = tf.matmul(reset * state, weights.recurrent[:, at:]) + weights.recurrent_bias[at:]
            candidate = tf.tanh(given[:, at:] + of_state)
        else:
            candidate = tf.tanh(given[:, at:] + reset * of_state)
        score = scores[t]
        keep = {
            "gru": lambda: update,
            "paper": lambda: 1.0 - score * update,
            "reference": lambda: (1.0 - score) * update,
            "agru": lambda: (1.0 - score) * one,
            "none": lambda: tf.zeros_like(state),
        }[self.gate]()
        # All of the state is kept at a masked step: its gates do not matter, and get no gradient.
        return _Step(tf.where(self.real[t], keep, 1.0), update, reset, candidate, of_state)

    def _backwards(
        self,
        steps: tf.Tensor,
        scores: tf.Tensor,
        weights: Weights,
        states: tf.Tensor,
        wanted: tf.Tensor,
        behind: tf.Tensor,
    ) -> tuple[tf.Tensor, ...]:
        """Gradients by steps, scores and each of the weights.

        Args:
            wanted: the loss's gradient by each state, ``[steps, batch, units]``.
            behind: what those of the steps from the stop on add up to, ``[batch, units]``.
        """

        def step(
            t: tf.Tensor, by_state: tf.Tensor, by_steps: tf.TensorArray, by_scores: tf.TensorArray, sums: Weights
        ) -> tuple[object, ...]:
            state = tf.where(t > 0, states[tf.maximum(t - 1, 0)], 0.0)
            it = self._step(t, steps, scores, state, weights)
            by_state += wanted[t]
            by_keep = tf.where(self.real[t], by_state * (state - it.candidate), 0.0)
            by_candidate = by_state * (1.0 - it.keep) * (1.0 - tf.square(it.candidate))
            by_update, by_score = self._by_gate(scores[t], it, by_keep)
            carried, by_given, by_told, read = self._by_step(it, state, weights, by_update, by_candidate)
            added = Weights(
                sums.kernel + tf.matmul(steps[t], by_given, transpose_a=True),
                sums.bias + tf.reduce_sum(by_given, axis=0),
                sums.recurrent + read,
                sums.recurrent_bias + tf.reduce_sum(by_told, axis=0),
            )
            by_steps = by_steps.write(t, tf.matmul(by_given, weights.kernel, transpose_b=True))
            return t - 1, by_state * it.keep + carried, by_steps, by_scores.write(t, by_score), added

        nothing = Weights(*(tf.zeros_like(each) for each in weights))
        start = (self.stop - 1, behind, _array(steps, steps[0]), _array(steps, scores[0]), nothing)
        _, _, by_steps, by_scores, sums = tf.while_loop(lambda t, *_: t >= 0, step, start)
        return (
            tf.transpose(by_steps.stack(), (1, 0, 2)),
            tf.transpose(by_scores.stack()[..., 0]),
            *sums,
        )

    def _by_gate(self, score: tf.Tensor, it: _Step, by_keep: tf.Tensor) -> tuple[tf.Tensor | None, tf.Tensor]:
        """Gradients by the update gate before its sigmoid, and by the score, ``[batch, 1]``."""
        slope = it.update * (1.0 - it.update)
        by_update, of_score = {
            "gru": (lambda: by_keep * slope, None),
            "paper": (lambda: -by_keep * score * slope, lambda: -it.update),
            "reference": (lambda: by_keep * (1.0 - score) * slope, lambda: -it.update),
            "agru": (None, lambda: -tf.ones_like(by_keep)),
            "none": (None, None),
        }[self.gate]
        by_score = tf.zeros_like(score) if of_score is None else tf.reduce_sum(by_keep * of_score(), 1, keepdims=True)
        return by_update() if by_update else None, by_score

    def _by_step(
        self, it: _Step, state: tf.Tensor, weights: Weights, by_update: tf.Tensor | None, by_candidate: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Gradients by the state that a step begins with, what input and state give, and the recurrent weights."""
        at = weights.recurrent.shape[1] - weights.recurrent.shape[0]
        update = [] if by_update is None else [by_update]
        if self.gate == "none":
            by_told = by_given = by_candidate
        elif self.before:
            by_read = tf.matmul(by_candidate, weights.recurrent[:, at:], transpose_b=True)
            gates = tf.concat([*update, by_read * state * it.reset * (1.0 - it.reset)], axis=-1)
            by_told = by_given = tf.concat([gates, by_candidate], axis=-1)
            carried = by_read * it.reset + tf.matmul(gates, weights.recurrent[:, :at], transpose_b=True)
            read = [
                tf.matmul(state, gates, transpose_a=True),
                tf.matmul(it.reset * state, by_candidate, transpose_a=True),
            ]
            return carried, by_given, by_told, tf.concat(read, axis=-1)
        else:
            gates = [*update, by_candidate * it.of_state * it.reset * (1.0 - it.reset)]
            by_given = tf.concat([*gates, by_candidate], axis=-1)
            by_told = tf.concat([*gates, by_candidate * it.reset], axis=-1)
        carried = tf.matmul(by_told, weights.recurrent, transpose_b=True)
        return carried, by_given, by_told, tf.matmul(state, by_told, transpose_a=True)


def _array(steps: tf.Tensor, one: tf.Tensor) -> tf.TensorArray:
    """Room for one of each step; what is not written is zero."""
    shape = tf.shape(steps)[0] if steps.shape[0] is None else steps.shape[0]
    return tf.TensorArray(one.dtype, shape, element_shape=one.shape)
