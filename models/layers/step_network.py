"""A small network of each step of a history and its target, of the real steps alone, with a gradient of its own.

In training rows are sorted by their last real step into blocks, and a loop goes through a block some steps at a time
until that block's last one: what is padding behind it costs nothing. Hidden layers are kept for the gradient, which is
taken tile by tile in the same order, while a tile is in the processor's cache. Where nothing is trained, and so nothing
compiled, the real steps are gathered instead, as many as there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import tensorflow as tf

from models.layers.row_order import in_order, last_real

ROWS, STEPS = 64, 8
"""Of a tile. Of fewer rows a block ends sooner, but each tile costs the same again."""

LEAST_PLACES = 1 << 14
"""Rows times steps from which on it costs less than to multiply padding too."""

ACTIVATIONS: Final[dict[str, tuple[Callable[[tf.Tensor], tf.Tensor], Callable[[tf.Tensor], tf.Tensor]]]] = {
    "sigmoid": (tf.sigmoid, lambda y: y * (1.0 - y)),
    "tanh": (tf.tanh, lambda y: 1.0 - y * y),
    "relu": (tf.nn.relu, lambda y: tf.cast(y > 0.0, y.dtype)),
}
"""Those whose slope follows from what they give, each with that slope."""


class Dense(NamedTuple):
    """A layer: ``kernel [inputs, units]``, ``bias [units]``."""

    kernel: tf.Tensor
    bias: tf.Tensor


def suits(target: tf.Tensor, steps: tf.Tensor, training: bool) -> bool:
    """Whether ``target [batch, candidates, dim]`` and ``steps [batch, steps, …]`` are as many as it is made for."""
    rows, candidates, places = target.shape[0], target.shape[1], steps.shape[1]
    if not rows or not places or candidates != 1 or rows * places < LEAST_PLACES:
        return False
    return not training or rows % ROWS == 0


def score_steps(
    target: tf.Tensor, steps: tf.Tensor, mask: tf.Tensor, layers: Sequence[Dense], activation: str, training: bool
) -> tf.Tensor:
    """What a network of ``[q, k, q * k, rest]`` gives: ``[batch, steps]``, of no meaning where there is no step.

    Args:
        target: ``q``, ``[batch, dim]``.
        steps: ``k`` and, behind its ``dim`` values, ``rest``, ``[batch, steps, dim + rest]``; zero where there is none.
        mask: bool ``[batch, steps]``.
        layers: hidden ones, of which the first reads the above in this order, and one of a single unit.
        activation: of the hidden ones, of ``ACTIVATIONS``.
        training: whether it is compiled, and has a gradient.
    """
    dim, first = int(target.shape[-1]), layers[0]
    of_target = tf.matmul(target, first.kernel[:dim]) + first.bias
    if not training:
        return _score_gathered(target, of_target, steps, mask, layers, activation)
    length, ends = int(steps.shape[1]), last_real(mask)
    order = tf.argsort(ends)
    back = tf.argsort(order)
    filled = tf.pad(in_order(steps, order, back), [[0, 0], [0, -length % STEPS], [0, 0]])
    tiles = _Tiles(tf.gather(ends, order), dim, filled.shape, activation)
    weights = [first.kernel[dim:], *(each for layer in layers[1:] for each in layer)]
    scores = tiles(in_order(target, order, back), in_order(of_target, order, back), filled, *weights)
    return in_order(scores[:, :length], back, order)


def _score_gathered(
    target: tf.Tensor, of_target: tf.Tensor, steps: tf.Tensor, mask: tf.Tensor, layers: Sequence[Dense], activation: str
) -> tf.Tensor:
    """``score_steps`` of what the first layer makes of the targets, ``of_target``; zero where there is no step."""
    dim, (batch, length, width) = int(target.shape[-1]), steps.shape.as_list()
    at = tf.cast(tf.where(tf.reshape(mask, (-1,)))[:, 0], tf.int32)
    row, here = at // length, tf.gather(tf.reshape(steps, (-1, width)), at)
    read = tf.concat([here[:, :dim], tf.gather(target, row) * here[:, :dim], here[:, dim:]], axis=-1)
    bend, kernel = ACTIVATIONS[activation][0], layers[0].kernel[dim:]
    hidden = bend(tf.matmul(read, kernel) + tf.gather(of_target, row))
    for layer in layers[1:-1]:
        hidden = bend(tf.matmul(hidden, layer.kernel) + layer.bias)
    scores = tf.matmul(hidden, layers[-1].kernel) + layers[-1].bias
    return tf.reshape(tf.scatter_nd(at[:, None], scores[:, 0], (batch * length,)), (batch, length))


class _At(NamedTuple):
    """Where a loop is: int32 scalars."""

    block: tf.Tensor
    tile: tf.Tensor


class _Tiles:
    """Blocks of rows, each gone through tile by tile until its last real step.

    Args:
        ends: number of steps up to the last real one of each row, ascending.
        dim: of a target.
        shape: of the steps.
    """

    def __init__(self, ends: tf.Tensor, dim: int, shape: tf.TensorShape, activation: str) -> None:
        self.dim, (self.batch, self.length, self.width) = dim, shape.as_list()
        self.blocks, self.most = self.batch // ROWS, self.length // STEPS
        latest = tf.reduce_max(tf.reshape(ends, (self.blocks, ROWS)), axis=1)
        self.stops = tf.maximum((latest + STEPS - 1) // STEPS, 1)
        self.bend, self.slope = ACTIVATIONS[activation]

    def __call__(self, target: tf.Tensor, of_target: tf.Tensor, steps: tf.Tensor, *weights: tf.Tensor) -> tf.Tensor:
        @tf.custom_gradient
        def scores(target: tf.Tensor, of_target: tf.Tensor, steps: tf.Tensor, *weights: tf.Tensor) -> Any:
            given = (target, of_target, steps)
            found, kept = self._forwards(given, weights)
            return found, lambda wanted: self._backwards(given, weights, kept, wanted)

        return scores(target, of_target, steps, *weights)

    def _read(self, given: tuple[tf.Tensor, ...], at: _At) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Targets ``[rows, 1, dim]`` and keys ``[rows, steps, dim]`` of a tile, and what the first layer reads."""
        target, _, steps = given
        here = tf.slice(steps, (at.block * ROWS, at.tile * STEPS, 0), (ROWS, STEPS, self.width))
        asked = tf.slice(target, (at.block * ROWS, 0), (ROWS, self.dim))[:, None]
        keys = here[..., : self.dim]
        read = tf.concat([keys, asked * keys, here[..., self.dim :]], axis=-1)
        return asked, keys, tf.reshape(read, (ROWS * STEPS, self.dim + self.width))

    def _following(self, at: _At) -> _At:
        ended = at.tile + 1 >= self.stops[at.block]
        return _At(at.block + tf.cast(ended, tf.int32), tf.where(ended, 0, at.tile + 1))

    def _loop(self, body: Callable[..., Any], *first: Any) -> Any:
        start = _At(tf.constant(0), tf.constant(0))
        return tf.while_loop(lambda at, *_: at.block < self.blocks, body, (start, *first))[1:]

    def _forwards(
        self, given: tuple[tf.Tensor, ...], weights: Sequence[tf.Tensor]
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Scores ``[batch, steps]``, and of each hidden layer what it gives, ``[tiles, rows · steps, units]``."""
        widths = [int(kernel.shape[-1]) for kernel in (weights[0], *weights[1::2])]

        def tile(at: _At, kept: list[tf.TensorArray], scores: tf.TensorArray) -> Any:
            place, of_target = at.block * self.most + at.tile, given[1]
            added = tf.slice(of_target, (at.block * ROWS, 0), (ROWS, widths[0]))[:, None]
            hidden = tf.reshape(tf.matmul(self._read(given, at)[2], weights[0]), (ROWS, STEPS, widths[0])) + added
            hidden = self.bend(tf.reshape(hidden, (ROWS * STEPS, widths[0])))
            told = [hidden]
            for kernel, bias in zip(weights[1:-2:2], weights[2:-2:2], strict=True):
                told.append(self.bend(tf.matmul(told[-1], kernel) + bias))
            score = tf.reshape(tf.matmul(told[-1], weights[-2]) + weights[-1], (ROWS, STEPS))
            kept = [array.write(place, each) for array, each in zip(kept, told, strict=True)]
            return self._following(at), kept, scores.write(place, score)

        arrays = [self._array((ROWS * STEPS, width)) for width in widths[:-1]]
        kept, scores = self._loop(tile, arrays, self._array((ROWS, STEPS)))
        apart = tf.reshape(scores.stack(), (self.blocks, self.most, ROWS, STEPS))
        return tf.reshape(tf.transpose(apart, (0, 2, 1, 3)), (self.batch, self.length)), [a.stack() for a in kept]

    def _backwards(
        self, given: tuple[tf.Tensor, ...], weights: Sequence[tf.Tensor], kept: list[tf.Tensor], wanted: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        """Gradients by targets, what the first layer makes of them, steps, and each of the weights."""
        apart = tf.transpose(tf.reshape(wanted, (self.blocks, ROWS, self.most, STEPS)), (0, 2, 1, 3))
        by_score = tf.reshape(apart, (self.blocks * self.most, ROWS * STEPS, 1))
        units = int(weights[0].shape[-1])

        def tile(
            at: _At, by_steps: tf.TensorArray, rows: list[tf.TensorArray], sums: list[tf.Tensor], added: list[tf.Tensor]
        ) -> Any:
            place = at.block * self.most + at.tile
            asked, keys, read = self._read(given, at)
            by_given = by_score[place]
            own: list[tf.Tensor] = []
            for layer in range(len(kept), 0, -1):
                kernel, told = weights[2 * layer - 1], kept[layer - 1][place]
                own = [tf.matmul(told, by_given, transpose_a=True), tf.reduce_sum(by_given, axis=0), *own]
                by_given = tf.matmul(by_given, kernel, transpose_b=True) * self.slope(told)
            own = [tf.matmul(read, by_given, transpose_a=True), *own]
            by_read = tf.reshape(tf.matmul(by_given, weights[0], transpose_b=True), (ROWS, STEPS, -1))
            by_key, by_product, by_rest = tf.split(by_read, [self.dim, self.dim, self.width - self.dim], axis=-1)
            by_step = tf.concat([by_key + asked * by_product, by_rest], axis=-1)
            of_rows = [keys * by_product, tf.reshape(by_given, (ROWS, STEPS, units))]
            begun = [tf.where(at.tile == 0, 0.0, each) for each in sums]
            sums = [each + tf.reduce_sum(more, axis=1) for each, more in zip(begun, of_rows, strict=True)]
            rows = [array.write(at.block, each) for array, each in zip(rows, sums, strict=True)]
            added = [before + more for before, more in zip(added, own, strict=True)]
            return self._following(at), by_steps.write(place, by_step), rows, sums, added

        nothing = [tf.zeros((ROWS, self.dim)), tf.zeros((ROWS, units))]
        by_steps, rows, _, added = self._loop(
            tile, self._array((ROWS, STEPS, self.width)),
            [tf.TensorArray(tf.float32, self.blocks, element_shape=each.shape) for each in nothing],
            nothing, [tf.zeros_like(each) for each in weights],
        )  # fmt: skip
        apart = tf.reshape(by_steps.stack(), (self.blocks, self.most, ROWS, STEPS, self.width))
        of_steps = tf.reshape(tf.transpose(apart, (0, 2, 1, 3, 4)), (self.batch, self.length, self.width))
        by_target, by_first = (tf.reshape(each.stack(), (self.batch, -1)) for each in rows)
        return by_target, by_first, of_steps, *added

    def _array(self, shape: tuple[int, ...]) -> tf.TensorArray:
        """Room for one of each tile; what is not written is zero."""
        return tf.TensorArray(tf.float32, self.blocks * self.most, element_shape=shape)
