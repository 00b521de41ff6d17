"""Losses over a request's candidates, ``[batch, candidates]``; a request of weight zero changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from models.heads.joint import joint_labels, joint_logits, log_power, logit_of_log
from models.outputs import Auxiliary, Outputs
from models.tasks import IN_BATCH, SCORE, Score, Task

Loss = Callable[[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]

_MASKED = -1e9


def binary(logits: tf.Tensor, label: tf.Tensor, mask: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """Mean sigmoid cross-entropy over the real pairs.

    Args:
        logits: ``[batch, candidates]``.
        label: ``[batch, candidates]``, 1 for a positive.
        mask: ``[batch, candidates]``, 0 for a padding candidate.
        weight: ``[batch]``; scales a request's part in the loss. The mean is over the pairs of requests
            with a weight above zero, not over the sum of weights: a batch whose rows all weigh a half
            moves the model half as far. Or ``[batch, candidates]``, a pair's.
    """
    of_pair = weight if weight.shape.rank == 2 else weight[:, None]
    part = mask * tf.cast(of_pair > 0, mask.dtype)
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=label, logits=logits)
    # where, not a product: 0 * inf of a padding candidate would be NaN.
    each = tf.where(part > 0, each * of_pair, 0.0)
    return tf.reduce_sum(each) / tf.maximum(tf.reduce_sum(part), 1.0)


def softmax(logits: tf.Tensor, label: tf.Tensor, mask: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """Mean over requests of -log of the softmax mass of the positives; arguments as of :func:`binary`.

    A request without a positive has no such loss and is left out.
    """
    real = mask > 0
    positive = tf.logical_and(real, label > 0)
    counted = tf.logical_and(weight > 0, tf.reduce_any(positive, axis=1))
    everything = tf.reduce_logsumexp(tf.where(real, logits, _MASKED), axis=1)
    chosen = tf.reduce_logsumexp(tf.where(positive, logits, _MASKED), axis=1)
    each = tf.where(counted, (everything - chosen) * weight, 0.0)
    return tf.reduce_sum(each) / tf.maximum(tf.reduce_sum(tf.cast(counted, each.dtype)), 1.0)


def pairwise(logits: tf.Tensor, label: tf.Tensor, mask: tf.Tensor, weight: tf.Tensor, user: tf.Tensor) -> tf.Tensor:
    """The order within a user: ``softplus(negative - positive)`` summed over the pairs of a user's rows, a real row.

    A pair weighs the product of its rows' weights. Arguments as of :func:`binary`, a label below 0 was not judged.

    Args:
        user: ``[batch]``, equal for the rows of one user.
    """
    of_rows = [tf.broadcast_to(each[:, None], label.shape) for each in (weight, user)]
    score, label, mask, weights, users = (tf.reshape(each, [-1]) for each in (logits, label, mask, *of_rows))
    real = mask * tf.cast(weights > 0, mask.dtype)
    positive, negative = (tf.where(is_so, real * weights, 0.0) for is_so in (label > 0, label == 0))
    pair = tf.where(users[:, None] == users[None, :], positive[:, None] * negative[None, :], 0.0)
    # where, not a product alone: 0 * inf of a padding row would be NaN.
    apart = tf.where(pair > 0, score[None, :] - score[:, None], 0.0)
    return tf.reduce_sum(pair * tf.nn.softplus(apart)) / tf.maximum(tf.reduce_sum(real), 1.0)


class Among(NamedTuple):
    """What a loss over a batch's items is told of its rows.

    Attributes:
        user: ``[batch, dim]``.
        item: ``[batch, 1, dim]``; the inner product with a user's is a logit.
        same: ``[batch, 1]``, equal for rows of one item.
        log_q: ``[batch, 1]`` logarithm of the share that the item has of the rows.
    """

    user: tf.Tensor
    item: tf.Tensor
    same: tf.Tensor
    log_q: tf.Tensor


def in_batch(
    among: Among, label: tf.Tensor, mask: tf.Tensor, weight: tf.Tensor, *, log_q: bool, hits: bool = False
) -> tf.Tensor:
    """Mean over positive rows of -log of the share that their own item has among the items of all real rows.

    Arguments as of :func:`binary`, of one candidate a row.

    Args:
        log_q: whether each logit is lowered by the logarithm of how often its item stands among the rows.
        hits: whether other rows of the positive's item count among those that it stands against.

    Reference: Yi et al., Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations, 2019.
    """
    if label.shape[1] != 1:
        raise ValueError(f"a loss over a batch's items is of rows with one candidate, got {label.shape[1]}")
    logits = tf.matmul(among.user, among.item[:, 0, :], transpose_b=True)
    if log_q:
        logits -= among.log_q[:, 0][None, :]
    own = tf.eye(tf.shape(label)[0], dtype=tf.bool)
    real = (mask[:, 0] > 0) & (weight > 0)
    other = real[None, :] if hits else real[None, :] & (among.same != among.same[:, 0][None, :])
    everything = tf.reduce_logsumexp(tf.where(own | other, logits, _MASKED), axis=1)
    counted = real & (label[:, 0] > 0)
    each = tf.where(counted, (everything - tf.linalg.diag_part(logits)) * weight, 0.0)
    return tf.reduce_sum(each) / tf.maximum(tf.reduce_sum(tf.cast(counted, each.dtype)), 1.0)


LOSSES: dict[str, Loss] = {"binary": binary, "softmax": softmax}


def by_task(
    tasks: Sequence[Task], outputs: Outputs, told: Sequence[tf.Tensor], among: Among | None = None,
    *, entire: bool = False,
) -> dict[str, tf.Tensor]:
    """The loss of every task before its weight; a pair counts in the tasks that it was judged in.

    Args:
        told: labels of each task, mask and weight as of :func:`binary`; a label below 0 was not judged.
        among: what losses over a batch's items are told.
        entire: a task that is given another has no loss of its own: that both came true is learnt, of all pairs.
    """
    weight = told[-1]
    losses = {}
    logits = joint_logits(tasks, outputs.logits) if entire else outputs.logits
    for task, (label, judged) in zip(tasks, _asked(tasks, told, entire=entire), strict=True):
        of_pairs, of_rows = outputs.weights.get(task.name), weight
        if of_pairs is not None and of_pairs.shape.rank:
            of_rows = weight[:, None] * of_pairs
        if task.loss in IN_BATCH:
            assert among is not None
            losses[task.name] = in_batch(among, label, judged, weight, log_q=task.loss == "in_batch_log_q")
        else:
            losses[task.name] = LOSSES[task.loss](logits[task.name], label, judged, of_rows)
    return losses


def _asked(tasks: Sequence[Task], told: Sequence[tf.Tensor], *, entire: bool) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
    """Of every task the labels, and the mask of the pairs that were judged in it."""
    *labels, mask, _ = told
    for label in joint_labels(tasks, labels) if entire else labels:
        judged = mask
        if len(tasks) > 1:
            judged = tf.where(label >= 0, mask, 0.0)
            label = tf.maximum(label, 0.0)
        yield label, judged


def counts(
    tasks: Sequence[Task], told: Sequence[tf.Tensor], score: Score | None = None, *, entire: bool = False
) -> dict[str, tf.Tensor]:
    """Over how many pairs, or requests, each loss of :func:`by_task` and :func:`of_score` is a mean; one at least."""
    weighs = tf.cast(told[-1] > 0, told[-2].dtype)
    found = {}
    for task, (label, judged) in zip(tasks, _asked(tasks, told, entire=entire), strict=True):
        each = tf.reduce_max(judged * tf.cast(label > 0, judged.dtype), axis=1, keepdims=True)
        found[task.name] = each if task.loss == "softmax" else judged
    if score is not None:
        found[SCORE] = _asked_of_score(tasks, score, told)[1]
    return {name: tf.maximum(tf.reduce_sum(each * weighs[:, None]), 1.0) for name, each in found.items()}


def of_score(tasks: Sequence[Task], score: Score, logits: Mapping[str, tf.Tensor], told: Sequence[tf.Tensor]) -> Any:
    """The loss of the score itself; arguments as of :func:`by_task`."""
    powers = tf.constant([score.powers.get(task.name, 0.0) for task in tasks])
    log_score = log_power(tf.stack([logits[task.name] for task in tasks], axis=-1), powers)
    label, judged = _asked_of_score(tasks, score, told)
    return binary(logit_of_log(log_score), label, judged, told[-1])


def _asked_of_score(
    tasks: Sequence[Task], score: Score, told: Sequence[tf.Tensor]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Its labels, and the mask of the pairs that were judged."""
    *labels, mask, _ = told
    last = max(place for place, task in enumerate(tasks) if score.powers.get(task.name))
    label = joint_labels(tasks, labels)[last]
    return tf.maximum(label, 0.0), tf.where(label >= 0, mask, 0.0)


def weighted_sum(
    tasks: Sequence[Task],
    losses: Mapping[str, tf.Tensor],
    auxiliary: Iterable[Auxiliary],
    of_layers: Iterable[tf.Tensor],
    learnt: Mapping[str, tf.Tensor],
) -> tf.Tensor:
    """What a step lowers: the tasks' and the auxiliary losses by their weights, and what layers add.

    Args:
        learnt: as of ``Outputs.weights``; those of pairs are in the losses already.
    """
    total = None
    for task in tasks:
        part = losses[task.name] if task.weight == 1.0 else task.weight * losses[task.name]
        if task.name in learnt and not learnt[task.name].shape.rank:
            part = learnt[task.name] * part
        total = part if total is None else total + part
    for loss in auxiliary:
        total += loss.value if loss.weight == 1.0 else loss.weight * loss.value
    for added in of_layers:
        total += added
    return total
