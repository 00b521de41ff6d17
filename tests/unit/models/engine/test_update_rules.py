from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.engine.optimizers import rule_of
from models.engine.update_rules import Adagrad, Values
from models.optimizer_settings import AdagradSettings, read_optimizers


def moved(given: Any, steps: int) -> np.ndarray:
    """A dense weight pulled towards targets by a rule."""
    rule = rule_of(read_optimizers({"dense": given}).dense)
    values = Values(tf.zeros((4, 3)), tuple(tf.fill((4, 3), first) for first in rule.slots.values()))

    @tf.function
    def step(values: Values, gradient: tf.Tensor, number: tf.Tensor) -> Values:
        return rule.move(values, gradient, rule.rate(tf.constant(0.01), number))

    for number, (goal, noise) in enumerate(zip(*pulls(steps), strict=True), start=1):
        values = step(values, values.w - goal + noise, tf.constant(number))
    return np.array(values.w)


def pulls(steps: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    draw = np.random.default_rng(3)
    goal = draw.normal(0, 1, (4, 3)).astype(np.float32)
    return [goal] * steps, [draw.normal(0, 0.3, (4, 3)).astype(np.float32) for _ in range(steps)]


@pytest.mark.parametrize(
    ("given", "theirs"),
    [
        ("adam", keras.optimizers.Adam(0.01, epsilon=1e-8)),
        ({"type": "adam", "beta_1": 0.8, "rate": 0.1}, keras.optimizers.Adam(0.1, beta_1=0.8, epsilon=1e-8)),
        ("adagrad", keras.optimizers.Adagrad(0.01)),
        ({"type": "sgd", "momentum": 0.9}, keras.optimizers.SGD(0.01, momentum=0.9)),
    ],
    ids=["adam", "adam_rate", "adagrad", "sgd"],
)
def test_300_steps_of_a_dense_weight_are_those_of_keras(given: Any, theirs: keras.optimizers.Optimizer) -> None:
    variable = keras.Variable(np.zeros((4, 3), np.float32))
    for goal, noise in zip(*pulls(300), strict=True):
        theirs.apply([tf.constant(variable.numpy() - goal + noise)], [variable])
    np.testing.assert_allclose(moved(given, 300), variable.numpy(), rtol=1e-4, atol=2e-5)


def test_a_new_day_forgets_a_part_of_what_has_come_together_since_the_start() -> None:
    """.1 + (2.1 - .1) · .75 = 1.6; padding has no sum."""
    total = tf.Variable([0.0, 0.1, 2.1])
    Adagrad(AdagradSettings(initial=0.1, decay_by_day=0.75)).begin_day([total])
    np.testing.assert_allclose(total.numpy(), [0.0, 0.1, 1.6], rtol=1e-6)
    Adagrad(AdagradSettings(initial=0.1)).begin_day([total])
    np.testing.assert_allclose(total.numpy(), [0.0, 0.1, 1.6], rtol=1e-6)
