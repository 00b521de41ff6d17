"""A gated recurrence over masked steps, with a gradient of its own.

States and gates are kept from the forward pass; going backwards, the gradients of the weights are added up step by
step, while its rows are in the processor's cache. Rows are sorted by their last real step into blocks, each of which
stops there, so that padding costs little; one loop goes through all blocks, so that many compile as quickly as one.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import tensorflow as tf

from models.layers.grouped_products import by_bias, by_kernel, plus, times, times_transposed
from models.layers.row_order import in_order, last_real

Gate = Literal["gru", "paper", "reference", "agru", "none"]
"""What a step keeps of the state, of an update gate ``u`` and an attention score ``a``: ``u`` (GRU), ``1 - a·u`` (AUGRU
of the paper), ``(1 - a)·u`` (AUGRU of its authors' code), ``1 - a`` (AGRU), nothing (a plain recurrent network)."""

Reset = Literal["after", "before"]
"""Where the reset gate acts: on what the state gives the candidate, or on the state itself."""

LEAST_BLOCK, BLOCK, SCORED_BLOCK = 64, 256, 1024
"""Rows of a block: a quarter of a training batch within these bounds, or of what is scored so many. Fewer end sooner,
but each step of each block costs the same again, which is more where it is no compiled one."""


class Weights(NamedTuple):
    """Of a recurrence, gates side by side in the order update | reset | candidate, those that it has; with an axis of
    groups before where a batch is of groups of rows, as many in each, that have weights of their own.

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
    steps: tf.Tensor,
    mask: tf.Tensor,
    scores: tf.Tensor | None,
    weights: Weights,
    *,
    gate: str,
    reset: str,
    training: bool = True,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The state after every step; a masked step keeps it, and before the first real one it is zero.

    Args:
        steps: ``[batch, steps, dim]``.
        mask: bool ``[batch, steps]``.
        scores: ``[batch, steps]``, attention of each step; only where the gate has one.
        training: keep what the gradient is made of.

    Returns:
        ``[batch, steps, units]``, and of these by itself the last, ``[batch, units]``, whose gradient costs less.

    Raises:
        ValueError: no such gate or reset, or scores where there should be none, or the other way round.
    """
    for value, allowed in ((gate, get_args(Gate)), (reset, get_args(Reset))):
        if value not in allowed:
            raise ValueError(f"recurrence '{value}'; expected one of {', '.join(allowed)}")
    if (scores is None) == (gate in ("paper", "reference", "agru")):
        raise ValueError(f"the gate '{gate}' {'needs scores' if scores is None else 'has no scores'}")
    given = tf.ones(tf.shape(mask), steps.dtype) if scores is None else scores
    batch, length = steps.shape[0], tf.shape(mask)[1]
    if steps.shape[1] is None:
        # An exported model may be asked of lists without any value, and of no step there would be no state.
        more = [[0, 0], [0, tf.maximum(1 - length, 0)]]
        steps, mask, given = tf.pad(steps, [*more, [0, 0]]), tf.pad(mask, more), tf.pad(given, more)
    rows = SCORED_BLOCK if not training or batch is None else max(LEAST_BLOCK, min(BLOCK, batch // 4))
    blocks = 1 if not batch or batch % rows or weights.kernel.shape.rank > 2 else batch // rows
    if blocks == 1:
        every, last = _Recurrence(gate, reset, mask, blocks, training)(steps, given, weights)
        return every if steps.shape[1] else every[:, :length], last
    order = tf.argsort(last_real(mask))
    back = tf.argsort(order)
    run = _Recurrence(gate, reset, tf.gather(mask, order), blocks, training)
    every, last = run(in_order(steps, order, back), in_order(given, order, back), weights)
    return in_order(every, back, order), in_order(last, back, order)


_Gates = dict[str, Any]
"""Of one step ``[batch, units]``, or of all: ``update``, ``reset``, ``candidate``, and ``of_state``, what the state
gives the candidate before it is reset; those that there are."""


class _Apart(NamedTuple):
    """``Weights`` gate by gate: setting gradients of gates side by side costs more than products of less."""

    kernel: dict[str, tf.Tensor]
    bias: dict[str, tf.Tensor]
    recurrent: dict[str, tf.Tensor]
    recurrent_bias: dict[str, tf.Tensor]


class _Place(NamedTuple):
    """Where a loop over all steps of all blocks is: int32 scalars."""

    block: tf.Tensor
    step: tf.Tensor


class _Recurrence:
    """Blocks of rows, one after another, each of which stops at the last real step that it has.

    Args:
        mask: bool ``[batch, steps]``.
        blocks: of as many rows each.
        training: keep the gates, for a gradient.
    """

    def __init__(self, gate: str, reset: str, mask: tf.Tensor, blocks: int, training: bool) -> None:
        self.gate = gate
        self.before = reset == "before" and gate != "none"
        self.blocks, self.training = blocks, training
        self.length = tf.shape(mask)[1] if mask.shape[1] is None else mask.shape[1]
        self.real = self._by_step(mask[..., None])
        # One step at least, if a masked one: of no step there would be no states.
        self.stops = tf.maximum(tf.reduce_max(tf.reshape(last_real(mask), (blocks, -1)), axis=1), 1)

    def __call__(self, steps: tf.Tensor, scores: tf.Tensor, weights: Weights) -> tuple[tf.Tensor, tf.Tensor]:
        def states(steps: tf.Tensor, scores: tf.Tensor, *weights: tf.Tensor) -> Any:
            by_step, by_score = self._by_step(steps), self._by_step(scores[..., None])
            found, gates = self._forwards(by_step, by_score, Weights(*weights))
            apart = tf.reshape(found, (self.blocks, self.length, -1, found.shape[-1]))
            reached = (tf.range(self.length) < self.stops[:, None])[..., None, None]
            last = tf.gather(apart, self.stops - 1, axis=1, batch_dims=1)

            def gradient(wanted: tf.Tensor, wanted_last: tf.Tensor) -> tuple[tf.Tensor, ...]:
                wanted = self._by_step(wanted)
                behind = tf.reduce_sum(tf.where(reached, 0.0, tf.reshape(wanted, tf.shape(apart))), axis=1)
                behind += tf.reshape(wanted_last, tf.shape(last))
                return self._backwards(by_step, by_score, self._apart(Weights(*weights)), found, gates, wanted, behind)

            every = self._by_row(tf.where(reached, apart, last[:, None]))
            return (every, tf.reshape(last, (-1, last.shape[-1]))), gradient

        if not self.training:  # an export would trace a gradient that nothing was kept for
            return states(steps, scores, *weights)[0]
        return tf.custom_gradient(states)(steps, scores, *weights)

    def _apart(self, weights: Weights) -> _Apart:
        names = ("update", "reset", "candidate")[-gates_of(self.gate) :]
        return _Apart(*(dict(zip(names, tf.split(each, len(names), axis=-1), strict=True)) for each in weights))

    def _by_step(self, values: tf.Tensor) -> tf.Tensor:
        """``[batch, steps, size]`` to ``[blocks · steps, rows of a block, size]``."""
        apart = tf.reshape(values, (self.blocks, -1, self.length, values.shape[-1]))
        rows = None if values.shape[0] is None else values.shape[0] // self.blocks
        apart = tf.transpose(tf.ensure_shape(apart, (self.blocks, rows, None, values.shape[-1])), (0, 2, 1, 3))
        return tf.reshape(apart, (self.blocks * self.length, tf.shape(apart)[2] if rows is None else rows, -1))

    def _by_row(self, values: tf.Tensor) -> tf.Tensor:
        """The other way round, from ``[blocks · steps, …]`` or ``[blocks, steps, …]``."""
        size = values.shape[-1]
        apart = tf.reshape(values, (self.blocks, self.length, -1, size))
        return tf.reshape(tf.transpose(apart, (0, 2, 1, 3)), (-1, self.length, size))

    def _forwards(self, steps: tf.Tensor, scores: tf.Tensor, weights: Weights) -> tuple[tf.Tensor, _Gates]:
        """States and gates up to each block's stop, ``[blocks · steps, rows, units]``."""
        first = tf.zeros((tf.shape(steps)[1], weights.recurrent.shape[-2]), steps.dtype)

        def step(
            place: _Place, state: tf.Tensor, kept: tf.TensorArray, gates: _Gates
        ) -> tuple[_Place, tf.Tensor, tf.TensorArray, _Gates]:
            at, state = self._at(place), state if self.blocks == 1 else tf.where(place.step > 0, state, 0.0)
            it = self._step(steps[at], state, weights)
            keep = self._kept(at, scores, it)
            state = keep * state + (1.0 - keep) * it["candidate"]
            gates = {name: array.write(at, it[name]) for name, array in gates.items()}
            return self._following(place), state, kept.write(at, state), gates

        gates = {name: _array(steps, first) for name in self._kept_gates()}
        start = (_Place(tf.constant(0), tf.constant(0)), first, _array(steps, first), gates)
        _, _, kept, gates = tf.while_loop(lambda place, *_: place.block < self.blocks, step, start)
        return kept.stack(), {name: array.stack() for name, array in gates.items()}

    def _at(self, place: _Place) -> tf.Tensor:
        return place.step if self.blocks == 1 else place.block * self.length + place.step

    def _following(self, place: _Place) -> _Place:
        """The next step, or the first of the next block; of one block there is less to ask at every step."""
        ended = place.step + 1 >= self.stops[0 if self.blocks == 1 else place.block]
        step = place.step + 1 if self.blocks == 1 else tf.where(ended, 0, place.step + 1)
        return _Place(place.block + tf.cast(ended, tf.int32), step)

    def _kept_gates(self) -> list[str]:
        """What a gradient is made of."""
        if not self.training:
            return []
        names = ["update"] * (gates_of(self.gate) == 3) + ["reset"] * (self.gate != "none") + ["candidate"]
        return names + ["of_state"] * (self.gate != "none" and not self.before)

    def _step(self, given: tf.Tensor, state: tf.Tensor, weights: Weights) -> _Gates:
        units, every = weights.recurrent.shape[-2:]
        of_input = plus(times(given, weights.kernel), weights.bias)
        at = every - units
        first = at if self.before else every
        told = plus(times(state, weights.recurrent[..., :first]), weights.recurrent_bias[..., :first])
        if self.gate == "none":
            return {"candidate": tf.tanh(of_input + told)}
        found = {"reset": tf.sigmoid(of_input[:, at - units : at] + told[:, at - units : at])}
        if gates_of(self.gate) == 3:
            found["update"] = tf.sigmoid(of_input[:, :units] + told[:, :units])
        if self.before:
            read = times(found["reset"] * state, weights.recurrent[..., at:])
            read = plus(read, weights.recurrent_bias[..., at:])
            return {**found, "candidate": tf.tanh(of_input[:, at:] + read)}
        of_state = told[:, -units:]
        return {**found, "candidate": tf.tanh(of_input[:, at:] + found["reset"] * of_state), "of_state": of_state}

    def _kept(self, at: tf.Tensor, scores: tf.Tensor, it: _Gates) -> tf.Tensor:
        """What a step keeps of the state: all of it where it is masked, so that its gates do not matter there."""
        score = scores[at]
        keep = {
            "gru": lambda: it["update"],
            "paper": lambda: 1.0 - score * it["update"],
            "reference": lambda: (1.0 - score) * it["update"],
            "agru": lambda: (1.0 - score) * tf.ones_like(it["candidate"]),
            "none": lambda: tf.zeros_like(it["candidate"]),
        }[self.gate]()
        return tf.where(self.real[at], keep, 1.0)

    def _backwards(
        self,
        steps: tf.Tensor,
        scores: tf.Tensor,
        weights: _Apart,
        states: tf.Tensor,
        gates: _Gates,
        wanted: tf.Tensor,
        behind: tf.Tensor,
    ) -> tuple[tf.Tensor, ...]:
        """Gradients by steps, scores and each of the weights.

        Args:
            wanted: the loss's gradient by each state, ``[blocks · steps, rows, units]``.
            behind: what those of the steps from a block's stop on add up to, ``[blocks, rows, units]``.
        """

        def step(
            place: _Place, by_state: tf.Tensor, by_steps: tf.TensorArray, by_scores: tf.TensorArray, sums: _Apart
        ) -> tuple[object, ...]:
            at = self._at(place)
            state = tf.where(place.step > 0, states[tf.maximum(at - 1, 0)], 0.0)
            it = {name: each[at] for name, each in gates.items()}
            keep, ends = self._kept(at, scores, it), place.step == self.stops[place.block] - 1
            by_state = wanted[at] + tf.where(ends, behind[place.block], by_state)
            by_keep = tf.where(self.real[at], by_state * (state - it["candidate"]), 0.0)
            by_candidate = by_state * (1.0 - keep) * (1.0 - tf.square(it["candidate"]))
            by_update, by_score = self._by_gate(scores[at], it, by_keep)
            by_given, by_told, read, carried = self._by_gates(it, state, weights, by_update, by_candidate)
            added = _Apart(*({name: values[name] + more for name, more in each.items()} for values, each in zip(sums, (
                {name: by_kernel(steps[at], each, weights.kernel[name]) for name, each in by_given.items()},
                {name: by_bias(each, weights.bias[name]) for name, each in by_given.items()},
                {name: by_kernel(read[name], each, weights.recurrent[name]) for name, each in by_told.items()},
                {name: by_bias(each, weights.recurrent_bias[name]) for name, each in by_told.items()},
            ), strict=True)))  # fmt: skip
            by_steps = by_steps.write(at, _sum_of_products(by_given, weights.kernel))
            block = place.block - tf.cast(place.step == 0, tf.int32)
            before = tf.where(place.step == 0, self.stops[tf.maximum(block, 0)] - 1, place.step - 1)
            return (
                _Place(block, before), by_state * keep + carried, by_steps, by_scores.write(at, by_score), added
            )  # fmt: skip

        nothing = tf.nest.map_structure(tf.zeros_like, weights)
        last = _Place(tf.constant(self.blocks - 1), self.stops[-1] - 1)
        start = (last, tf.zeros_like(behind[0]), _array(steps, steps[0]), _array(steps, scores[0]), nothing)
        _, _, by_steps, by_scores, sums = tf.while_loop(lambda place, *_: place.block >= 0, step, start)
        of_weights = (tf.concat([*each.values()], axis=-1) for each in sums)
        return self._by_row(by_steps.stack()), self._by_row(by_scores.stack())[..., 0], *of_weights

    def _by_gate(self, score: tf.Tensor, it: _Gates, by_keep: tf.Tensor) -> tuple[tf.Tensor | None, tf.Tensor]:
        """Gradients by the update gate before its sigmoid, and by the score, ``[batch, 1]``."""
        slope = it["update"] * (1.0 - it["update"]) if "update" in it else None
        by_update, of_score = {
            "gru": (lambda: by_keep * slope, None),
            "paper": (lambda: -by_keep * score * slope, lambda: -it["update"]),
            "reference": (lambda: by_keep * (1.0 - score) * slope, lambda: -it["update"]),
            "agru": (None, lambda: -tf.ones_like(by_keep)),
            "none": (None, None),
        }[self.gate]
        by_score = tf.zeros_like(score) if of_score is None else tf.reduce_sum(by_keep * of_score(), 1, keepdims=True)
        return by_update() if by_update else None, by_score

    def _by_gates(
        self, it: _Gates, state: tf.Tensor, weights: _Apart, by_update: tf.Tensor | None, by_candidate: tf.Tensor
    ) -> tuple[_Gates, _Gates, _Gates, tf.Tensor]:
        """Of each gate the gradients by what the input and what the state gives it, and what of the state it reads; the
        gradient by the state."""
        given, told, carried = {"candidate": by_candidate}, {"candidate": by_candidate}, tf.zeros_like(state)
        read = dict.fromkeys(weights.kernel, state)
        if self.gate != "none":
            slope, by_reset = it["reset"] * (1.0 - it["reset"]), by_candidate
            if self.before:
                by_read = times_transposed(by_candidate, weights.recurrent["candidate"])
                read["candidate"], by_reset, carried = it["reset"] * state, by_read * state, by_read * it["reset"]
            else:
                told["candidate"], by_reset = by_candidate * it["reset"], by_candidate * it["of_state"]
            gates = (
                {"reset": by_reset * slope} if by_update is None else {"update": by_update, "reset": by_reset * slope}
            )
            given, told = {**gates, **given}, {**gates, **told}
        of_state = {name: each for name, each in told.items() if not self.before or name != "candidate"}
        return given, told, read, carried + _sum_of_products(of_state, weights.recurrent)


def _sum_of_products(gradients: _Gates, weights: _Gates) -> tf.Tensor:
    products = [times_transposed(each, weights[name]) for name, each in gradients.items()]
    return sum(products[1:], products[0])


def _array(steps: tf.Tensor, one: tf.Tensor) -> tf.TensorArray:
    """Room for one of each step; what is not written is zero."""
    shape = tf.shape(steps)[0] if steps.shape[0] is None else steps.shape[0]
    return tf.TensorArray(one.dtype, shape, element_shape=one.shape)
