"""One logit of tasks that all come true, or of the product of powers of their probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from models.tasks import WITHHELD, Task


def joint_logit(given: tf.Tensor, logit: tf.Tensor) -> tf.Tensor:
    """The logit of ``σ(given) · σ(logit)``, of one shape; exact however far from 0 the two are.

    ``1/p - 1 = e⁻ᵃ + e⁻ᵇ + e⁻⁽ᵃ⁺ᵇ⁾``, so that neither a product of probabilities nor what is left of 1 is ever taken.
    """
    return -tf.reduce_logsumexp(tf.stack([-given, -logit, -given - logit]), axis=0)


def log_power(logits: tf.Tensor, powers: tf.Tensor) -> tf.Tensor:
    """``[…, tasks]`` to ``[…]``: the logarithm of the product of powers of probabilities, at most 0."""
    return tf.reduce_sum(powers * tf.math.log_sigmoid(logits), axis=-1)


def logit_of_log(log_probability: tf.Tensor) -> tf.Tensor:
    """The logit of a probability that is known by its logarithm."""
    # Where it is 1 to the last bit there is no logit: what is left of 1 is held at the least that can be told from 0.
    below = tf.minimum(log_probability, -1e-30)
    return below - tf.math.log(-tf.math.expm1(below))


def joint_logits(tasks: Sequence[Task], logits: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """By task, that it and all that it is given come true."""
    found: dict[str, tf.Tensor] = {}
    for task in tasks:
        own = logits[task.name]
        found[task.name] = joint_logit(found[task.given], own) if task.given in found else own
    return found


def joint_labels(tasks: Sequence[Task], labels: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Likewise of labels: 0 where what a task is given did not come true, below 0 where that is not known."""
    found: dict[str, tf.Tensor] = {}
    for task, own in zip(tasks, labels, strict=True):
        given = found.get(task.given or "")
        if given is not None:
            # Where what a task is given is not asked of the row, its own label is of both.
            known = (given > 0) | (own == WITHHELD) | ((given < 0) & (own >= 0))
            own = tf.where(known, own, given)
        found[task.name] = own
    return list(found.values())
