"""A training step of which every trainer takes a part: gradients of its rows, their sum over all, the same move.

What goes beyond a row cannot be divided: a loss that compares rows, a statistic of the batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from models.engine.exchange import Exchange
from models.engine.lowering import Lowered
from models.engine.tensors import cut, one_empty_request
from models.engine.update_rules import Values
from models.engine.view import View
from models.randomness import drawn_at
from models.tasks import IN_BATCH, Task

Lower = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, list[Values], Lowered]]
Move = Callable[[tf.Tensor, tf.Tensor, list[Values], Lowered, tf.Tensor], tf.Tensor]


def check_divisible(model: keras.layers.Layer, view: View, tasks: Sequence[Task], pairwise: float) -> None:
    """Whether trainers that each see a part of a batch come to what one comes to.

    Args:
        model: a built one.
        view: of what it reads.

    Raises:
        ValueError: it is not so; says why.
    """
    why = "and with `workers` each sees a part of it only; leave `workers` out"
    among = [task.loss for task in tasks if task.loss in IN_BATCH]
    if among:
        raise ValueError(f"loss '{among[0]}' sets each row against the others of its batch, {why}")
    if pairwise:
        raise ValueError(f"`pairwise` compares the rows of a user in a batch, {why}")
    of_values = {id(weight) for layer in model.normalisers.values() for weight in layer.weights}
    moving = sorted(w.path for w in model.weights if not w.trainable and id(w) not in of_values)
    if moving:
        raise ValueError(f"model '{model.name}' keeps statistics of the batch ({', '.join(moving)}), {why}")
    with drawn_at(0, tf.constant(1)):
        told = model(one_empty_request(view), training=True)
    of_batch = [name for name, each in told.losses.items() if not each.of_weights]
    if of_batch:
        raise ValueError(f"model '{model.name}' has a loss '{of_batch[0]}' that is a mean over the batch, {why}")


def divided_step(exchange: Exchange, lower: Lower, move: Move, *, xla: bool) -> Callable[..., tf.Tensor]:
    """Two programs with a sum between them: one buffer a step, as every exchange costs time whatever its size.

    Args:
        lower: packed ints, packed floats and learning rate to the step's number, rows as they stood and gradients.
        move: packed ints, these three and the learning rate to the losses.
    """

    def compiled(function: Callable[..., Any]) -> Any:
        return tf.function(function, autograph=False, jit_compile=xla)

    shapes: list[tuple[int, ...]] = []
    tables: list[Values] = []

    def part(ints: tf.Tensor, floats: tf.Tensor, rate: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, list[Values]]:
        step, states, found = lower(ints, floats, rate)
        every = [*found.of_rows, *found.of_weights, found.told]
        shapes[:], tables[:] = [tuple(each.shape) for each in every], states
        return tf.concat([tf.reshape(each, [-1]) for each in every], axis=0), step, states

    def moved(ints: tf.Tensor, total: tf.Tensor, step: tf.Tensor, states: list[Values], rate: tf.Tensor) -> tf.Tensor:
        *gradients, told = cut(tf.ensure_shape(total, [sum(map(math.prod, shapes))]), shapes)
        found = Lowered(gradients[: len(tables)], gradients[len(tables) :], told)
        return move(ints, step, states, found, rate)

    first, then = compiled(part), compiled(moved)

    def run(ints: tf.Tensor, floats: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
        own, step, states = first(ints, floats, rate)
        return then(ints, exchange.sum(own), step, states, rate)

    return run
