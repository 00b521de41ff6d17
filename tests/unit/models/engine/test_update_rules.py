from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.engine.optimizers import rule_of
from models.engine.update_rules import Adagrad, Adam, Sgd, Values
from models.optimizer_settings import AdagradSettings, AdamSettings, SgdSettings, read_optimizers

START = np.random.default_rng(4).normal(0, 0.5, (4, 3)).astype(np.float32)


def moved(given: Any, steps: int) -> np.ndarray:
    """A dense weight pulled from where it was drawn towards targets by a rule."""
    rule = rule_of(read_optimizers({"dense": given}).dense)
    values = Values(tf.constant(START), tuple(tf.fill((4, 3), first) for first in rule.slots.values()))

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
        ("ftrl", keras.optimizers.Ftrl(0.01)),
        (
            {"type": "ftrl", "rate": 0.5, "l1": 3.0, "l2": 0.1, "initial": 0.2},
            keras.optimizers.Ftrl(
                0.5, initial_accumulator_value=0.2, l1_regularization_strength=3.0, l2_regularization_strength=0.1
            ),
        ),
    ],
    ids=["adam", "adam_rate", "adagrad", "sgd", "ftrl", "ftrl_l1_l2"],
)
def test_300_steps_of_a_dense_weight_are_those_of_keras(given: Any, theirs: keras.optimizers.Optimizer) -> None:
    variable = keras.Variable(START)
    for goal, noise in zip(*pulls(300), strict=True):
        theirs.apply([tf.constant(variable.numpy() - goal + noise)], [variable])
    np.testing.assert_allclose(moved(given, 300), variable.numpy(), rtol=1e-4, atol=2e-5)


def test_a_rate_of_its_own_keeps_its_proportion_to_that_of_the_experiment() -> None:
    """.5 · .0025 / .01 = .125, the bias correction of a first step beside it being sqrt(.001) / .1."""
    rate, step, correction = tf.constant(0.0025), tf.constant(1), 0.001**0.5 / 0.1
    assert float(Sgd(SgdSettings(rate=0.5), 0.01).rate(rate, step)) == pytest.approx(0.125)
    assert float(Adam(AdamSettings(rate=0.5), 0.01).rate(rate, step)) == pytest.approx(0.125 * correction, rel=1e-3)
    assert float(Sgd(SgdSettings(), 0.01).rate(rate, step)) == pytest.approx(0.0025)
    assert float(Sgd(SgdSettings(rate=0.5)).rate(rate, step)) == 0.5


def test_a_new_day_forgets_a_part_of_what_has_come_together_since_the_start() -> None:
    """.1 + (2.1 - .1) · .75 = 1.6; padding has no sum."""
    total = tf.Variable([0.0, 0.1, 2.1])
    Adagrad(AdagradSettings(initial=0.1, decay_by_day=0.75)).begin_day([total])
    np.testing.assert_allclose(total.numpy(), [0.0, 0.1, 1.6], rtol=1e-6)
    Adagrad(AdagradSettings(initial=0.1)).begin_day([total])
    np.testing.assert_allclose(total.numpy(), [0.0, 0.1, 1.6], rtol=1e-6)
