"""What a training step lowers for a batch, or a part of its rows, and by which gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import keras
import tensorflow as tf

from models.engine.losses import Among, by_task, counts, of_score, pairwise, weighted_sum
from models.engine.packing import Batch, size_of, told_shapes
from models.engine.tensors import cut, model_inputs
from models.outputs import ITEM, USER, Auxiliary, Outputs
from models.randomness import WHOLE, Part, drawn_at
from models.tables import Fused
from models.tasks import SCORE, Score, Task

ADDED = "added by layers"
"""Among the parts of a loss; no task is called so."""
PAIRS = "pairs of a user"
"""Likewise."""


class Lowered(NamedTuple):
    """Gradients and losses of a step.

    Attributes:
        of_rows: gradient of the distinct rows of each fused table.
        of_weights: of each dense weight.
        told: ``[1 + parts]``, the loss that is lowered and those of ``Lowering.parts``.
    """

    of_rows: list[tf.Tensor]
    of_weights: list[tf.Tensor]
    told: tf.Tensor


def entire_space(model: keras.layers.Layer) -> bool:
    """Whether a task that is given another is learnt of all rows, by the probability that both come true."""
    return bool(getattr(model, "entire_space", False))


class Lowering:
    """The loss of one model.

    Of a part of a batch, losses and gradients are such that the sum over all parts is that of the batch: every mean is
    over the rows of all of it.

    Args:
        model: a built model.
        weights: its dense weights that are moved.
        tasks: what the model is asked, in the order of a batch's labels.
        pairwise: what the order within a user weighs (``losses.pairwise``) in batches that tell whose their rows are.
        seed: what a step draws at random is a function of this and of the step's number.
        score: what ranks, where it has a loss of its own.
        part: of the rows of every batch.

    Attributes:
        parts: what a step's losses are of beside the one that is lowered, once a step was traced.
    """

    def __init__(
        self,
        model: keras.layers.Layer,
        weights: list[tf.Variable],
        tasks: tuple[Task, ...],
        *,
        pairwise: float,
        seed: int,
        score: Score | None,
        part: Part = WHOLE,
    ) -> None:
        self._model = model
        self._weights = weights
        self._tasks = tasks
        self._pairwise = pairwise
        self._seed = seed
        self._score = score
        self._part = part
        self.parts: tuple[str, ...] = ()

    def of(
        self,
        batch: Batch,
        embedded: Mapping[Fused, tf.Tensor],
        positions: tf.Tensor,
        floats: tf.Tensor,
        step: tf.Tensor,
    ) -> Lowered:
        """Losses and gradients of the rows of ``batch`` that are this part's.

        Args:
            embedded: ``[rows, width]`` distinct rows of each fused table.
            positions: in them, of the part's values.
            floats: of the part, and what the losses are told of the whole batch (``packing.own_rows``).
        """
        shape = (batch.shape[0] // self._part.of, batch.shape[1])
        dense = size_of(batch.view.dense, shape)
        of_rows, all_told = tf.split(floats, [dense, floats.shape[0] - dense])
        watched = list(embedded.values())
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(watched)
            tape.watch(self._weights)
            inputs = model_inputs(batch.view, shape, positions, of_rows, embedded)
            whole = cut(all_told, told_shapes(batch))
            told = [self._part.cut(each) for each in whole]
            candidates, weight = told[len(self._tasks) : len(self._tasks) + 2]
            inputs = inputs._replace(real=(candidates > 0) & (weight > 0)[:, None])
            with drawn_at(self._seed, step, self._part):
                outputs = self._model(inputs, training=True)
            loss, parts = self._losses(batch, outputs, told, whole)
        rows, weights = tape.gradient(
            loss, (watched, self._weights), unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        self.parts = tuple(parts) if len(parts) > 1 else ()
        found = tf.stack([loss, *(parts[name] for name in self.parts)])
        return Lowered([tf.convert_to_tensor(each) for each in rows], weights, found)

    def _losses(
        self, batch: Batch, outputs: Outputs, told: list[tf.Tensor], whole: list[tf.Tensor]
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """The loss that is lowered, and all that it is made of by name."""
        tasks, entire = self._tasks, entire_space(self._model)
        labelled = told[: len(tasks) + 2]
        among = _among(outputs, told) if batch.by_item else None
        losses = by_task(tasks, outputs, labelled, among, entire=entire)
        auxiliary = dict(outputs.losses)
        if self._score is not None:
            own = of_score(tasks, self._score, outputs.logits, labelled)
            auxiliary[SCORE] = Auxiliary(own, self._score.loss)
        if batch.by_user:
            label, (mask, weight, user) = told[0], told[len(tasks) : len(tasks) + 3]
            ranked = pairwise(outputs.logits[tasks[0].name], label, mask, weight, user)
            auxiliary[PAIRS] = Auxiliary(ranked, self._pairwise)
        # Of their weights or of what passes through them, as `add_loss` and regularisers have it.
        of_layers = self._model.losses
        others = dict(outputs.told)
        if self._part.of > 1:
            shares, of_rows = self._shares(labelled, whole[: len(tasks) + 2])
            losses = {name: each * shares[name] for name, each in losses.items()}
            auxiliary = {
                name: each._replace(value=each.value * shares.get(name, of_rows)) for name, each in auxiliary.items()
            }
            of_layers = [each * of_rows for each in of_layers]
            others = {name: each * of_rows for name, each in others.items()}
        loss = weighted_sum(tasks, losses, auxiliary.values(), of_layers, outputs.weights)
        parts = losses | {name: each.value for name, each in auxiliary.items()}
        if of_layers:
            parts[ADDED] = tf.add_n(of_layers)
        return loss, parts | others

    def _shares(self, told: list[tf.Tensor], whole: list[tf.Tensor]) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """What a mean over a part's rows counts in that over the batch: of each loss by its name, and of real pairs."""
        entire = entire_space(self._model)
        own, every = (counts(self._tasks, each, self._score, entire=entire) for each in (told, whole))
        real = [tf.reduce_sum(each[-2] * tf.cast(each[-1] > 0, each[-2].dtype)[:, None]) for each in (told, whole)]
        return {name: own[name] / every[name] for name in own}, real[0] / tf.maximum(real[1], 1.0)


def _among(outputs: Outputs, told: list[tf.Tensor]) -> Among:
    """What a loss over a batch's items compares, of a model whose logits are inner products."""
    same, log_q = told[-2:]
    return Among(outputs.vectors[USER], outputs.vectors[ITEM], same, log_q)
