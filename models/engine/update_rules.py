"""How one optimiser moves a tensor, whatever it is of: dense weights, or rows of a table.

A rule declares the slots that it keeps beside a weight, each with the value that it starts from; a checkpoint holds
them by these names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import tensorflow as tf

from models.optimizer_settings import AdagradSettings, AdamSettings, FtrlSettings, Settings, SgdSettings


class Values(NamedTuple):
    """Weights and their slots, all of one shape, the slots in the order in which the rule declares them."""

    w: tf.Tensor
    slots: tuple[tf.Tensor, ...] = ()


class Rule(Protocol):
    """How weights move."""

    @property
    def slots(self) -> Mapping[str, float]:
        """The value that each slot starts from, by its name."""

    def rate(self, learning_rate: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """What :meth:`move` is to be told at step ``step`` (int32, from 1)."""

    def move(self, values: Values, gradient: tf.Tensor, rate: tf.Tensor) -> Values:
        """One step."""

    def begin_day(self, slots: Sequence[tf.Variable]) -> None:
        """What happens to the slots when a day of training begins."""


@dataclass(frozen=True)
class Rated:
    """What moves at the experiment's learning rate, or at one of its own, and does nothing as a day begins.

    Attributes:
        first_rate: the experiment's learning rate before any decay; what is left of it is left of the own rate too.
            ``None`` leaves the own rate as it is.
    """

    settings: Settings = field(default_factory=Settings)
    first_rate: float | None = None

    def own_rate(self, learning_rate: tf.Tensor) -> tf.Tensor:
        """The rate of the settings, or that of the experiment, which is given."""
        if self.settings.rate is None:
            return learning_rate
        own = tf.constant(self.settings.rate, tf.float32)
        return own if self.first_rate is None else own * (learning_rate / self.first_rate)

    def rate(self, learning_rate: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        return self.own_rate(learning_rate)

    def begin_day(self, slots: Sequence[tf.Variable]) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Adam(Rated):
    """Adam; slots ``m`` and ``v``, the first and second moment of the gradient."""

    settings: AdamSettings = field(default_factory=AdamSettings)

    @property
    def slots(self) -> Mapping[str, float]:
        return {"m": 0.0, "v": 0.0}

    def correction(self, step: tf.Tensor) -> tf.Tensor:
        """Bias correction of the learning rate at a step (float, from 1): ``sqrt(1 - b2^t) / (1 - b1^t)``."""
        return tf.sqrt(1.0 - power(self.settings.beta_2, step)) / (1.0 - power(self.settings.beta_1, step))

    def rate(self, learning_rate: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        return self.own_rate(learning_rate) * self.correction(tf.cast(step, tf.float32))

    def move(self, values: Values, gradient: tf.Tensor, rate: tf.Tensor) -> Values:
        w, (m, v) = values
        m = m + (gradient - m) * (1.0 - self.settings.beta_1)
        v = v + (tf.square(gradient) - v) * (1.0 - self.settings.beta_2)
        return Values(w - rate * m / (tf.sqrt(v) + self.settings.epsilon), (m, v))


@dataclass(frozen=True)
class Adagrad(Rated):
    """Adagrad; slot ``accumulator``, the sum of squared gradients, of which a part is forgotten every day."""

    settings: AdagradSettings = field(default_factory=AdagradSettings)

    @property
    def slots(self) -> Mapping[str, float]:
        return {"accumulator": self.settings.initial}

    def move(self, values: Values, gradient: tf.Tensor, rate: tf.Tensor) -> Values:
        total = values.slots[0] + tf.square(gradient)
        return Values(values.w - rate * gradient / tf.sqrt(total + self.settings.epsilon), (total,))

    def begin_day(self, slots: Sequence[tf.Variable]) -> None:
        kept, initial = self.settings.decay_by_day, self.settings.initial
        for total in slots if kept < 1 else ():
            # What stands below is padding and head-room, which have no sum.
            total.assign(tf.where(total < initial, total, initial + (total - initial) * kept))


@dataclass(frozen=True)
class Sgd(Rated):
    """Gradient descent; slot ``momentum``, the last step and what is left of those before it, if there is any."""

    settings: SgdSettings = field(default_factory=SgdSettings)

    @property
    def slots(self) -> Mapping[str, float]:
        return {"momentum": 0.0} if self.settings.momentum else {}

    def move(self, values: Values, gradient: tf.Tensor, rate: tf.Tensor) -> Values:
        moves = [self.settings.momentum * before - rate * gradient for before in values.slots]
        return Values(values.w + (moves[0] if moves else -rate * gradient), tuple(moves))


@dataclass(frozen=True)
class Ftrl(Rated):
    """FTRL-proximal; slots ``accumulator``, the sum of squared gradients, and ``linear``, which gives the weight."""

    settings: FtrlSettings = field(default_factory=FtrlSettings)

    @property
    def slots(self) -> Mapping[str, float]:
        return {"accumulator": self.settings.initial, "linear": 0.0}

    def move(self, values: Values, gradient: tf.Tensor, rate: tf.Tensor) -> Values:
        w, (before, linear) = values
        total = before + tf.square(gradient)
        linear = linear + gradient - (tf.sqrt(total) - tf.sqrt(before)) / rate * w
        pulled = tf.clip_by_value(linear, -self.settings.l1, self.settings.l1) - linear
        # The padding row has no sum, and stays zero.
        return Values(tf.math.divide_no_nan(pulled, tf.sqrt(total) / rate + 2.0 * self.settings.l2), (total, linear))


def power(base: float, exponent: tf.Tensor) -> tf.Tensor:
    """``base ** exponent`` for ``0 <= base < 1`` and a float tensor of exponents."""
    if base == 0.0:
        return tf.cast(tf.equal(exponent, 0.0), exponent.dtype)
    return tf.exp(exponent * math.log(base))
