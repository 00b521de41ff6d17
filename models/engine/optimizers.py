"""Adam for embedding tables, row by row, and for dense weights; all of it traceable into one XLA step.

Three ways for a table, one interface:

* ``catch_up_adam``: what dense Adam does, at the price of the rows that a batch reads. Dense Adam goes on
  moving a row by its momentum after its id has gone; here a row remembers the step at which it was last
  updated, and when it is next read its missed steps (all of gradient zero) are applied in closed form.
* ``lazy_adam``: weight and moments of a row move only when its id is in the batch.
* ``dense_adam``: every row moves at every step, as in Keras.

``sweep`` brings every row up to date, so that what is tested, stored and exported is plain Adam state.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from models.engine.tables import PADDING_ROW

_TABULATED = 4096


@dataclass(frozen=True)
class Adam:
    """Settings of Adam, and its update of a tensor.

    Raises:
        ValueError: a decay outside [0, 1), or an epsilon that is not above 0.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        for name, value in (("beta_1", self.beta_1), ("beta_2", self.beta_2)):
            if not 0.0 <= value < 1.0:
                raise ValueError(f"{name} {value}; expected a number from 0 up to, but not, 1")
        if not self.epsilon > 0.0:
            raise ValueError(f"epsilon {self.epsilon}; expected a number above 0")

    def correction(self, step: tf.Tensor) -> tf.Tensor:
        """Bias correction of the learning rate at a step (float, from 1): ``sqrt(1 - b2^t) / (1 - b1^t)``."""
        return tf.sqrt(1.0 - power(self.beta_2, step)) / (1.0 - power(self.beta_1, step))

    def move(self, w: tf.Tensor, m: tf.Tensor, v: tf.Tensor, gradient: tf.Tensor, rate: tf.Tensor) -> Rows:
        """One step; ``rate`` is the learning rate times the bias correction."""
        m = m + (gradient - m) * (1.0 - self.beta_1)
        v = v + (tf.square(gradient) - v) * (1.0 - self.beta_2)
        return Rows(w - rate * m / (tf.sqrt(v) + self.epsilon), m, v)


def power(base: float, exponent: tf.Tensor) -> tf.Tensor:
    """``base ** exponent`` for ``0 <= base < 1`` and a float tensor of exponents."""
    if base == 0.0:
        return tf.cast(tf.equal(exponent, 0.0), exponent.dtype)
    return tf.exp(exponent * math.log(base))


class Rows(NamedTuple):
    """Weights and moments of some rows, each ``[rows, width]``."""

    w: tf.Tensor
    m: tf.Tensor
    v: tf.Tensor


@dataclass(frozen=True)
class TableVariables:
    """A fused table on the device.

    Attributes:
        w: ``[rows, width]`` weights.
        m: ``[rows, width]`` first moments.
        v: ``[rows, width]`` second moments.
        last: int32 ``[rows]``, the step at which a row was last up to date.
    """

    w: tf.Variable
    m: tf.Variable
    v: tf.Variable
    last: tf.Variable


class TableOptimizer(Protocol):
    """How the rows that a batch reads are brought up to date, updated, and swept."""

    def read(self, table: TableVariables, rows: tf.Tensor, step: tf.Tensor, learning_rate: tf.Tensor) -> Rows:
        """The rows as they stand before step ``step`` (int32, from 1); ``rows`` are distinct but for padding."""

    def write(
        self,
        table: TableVariables,
        rows: tf.Tensor,
        state: Rows,
        gradient: tf.Tensor,
        step: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> None:
        """Update the rows that :meth:`read` gave by their gradient ``[rows, width]``."""

    def sweep(self, table: TableVariables, step: tf.Tensor, learning_rate: tf.Tensor) -> None:
        """Bring every row up to the end of step ``step``."""


class LazyAdam:
    """Adam on the rows of the batch only; rows that are absent stand still, moments included."""

    def __init__(self, adam: Adam) -> None:
        self.adam = adam

    def read(self, table: TableVariables, rows: tf.Tensor, step: tf.Tensor, learning_rate: tf.Tensor) -> Rows:
        return Rows(*(tf.gather(variable, rows) for variable in (table.w, table.m, table.v)))

    def write(
        self,
        table: TableVariables,
        rows: tf.Tensor,
        state: Rows,
        gradient: tf.Tensor,
        step: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> None:
        gradient = _without_padding(rows, gradient)
        rate = learning_rate * self.adam.correction(tf.cast(step, tf.float32))
        moved = self.adam.move(*state, gradient, rate)
        for variable, value in zip((table.w, table.m, table.v), moved, strict=True):
            _scatter(variable, rows, value)

    def sweep(self, table: TableVariables, step: tf.Tensor, learning_rate: tf.Tensor) -> None:
        """Nothing is ever behind."""


class CatchUpAdam(LazyAdam):
    """Lazy Adam whose rows first make up for the steps that they missed.

    After ``j`` steps without gradient the moments are ``b1^j m`` and ``b2^j v``, so with ``r = b1 / sqrt(b2)``
    step ``t + j`` moves the weight by ``lr c(t + j) r^j m / (sqrt(v) + eps)``, ``c`` being the bias correction
    (and ``eps`` taken as if it shrank with ``v``). The sum over the ``k`` missed steps after ``t`` is
    ``G(t) - r^k G(t + k)`` with ``G(t) = r (c(t + 1) + G(t + 1))``, all steps ahead: a function of the step
    alone, tabulated once.
    """

    def __init__(self, adam: Adam) -> None:
        super().__init__(adam)
        if not adam.beta_1 < math.sqrt(adam.beta_2):
            raise ValueError(
                f"catch_up_adam needs beta_1 < sqrt(beta_2), got beta_1={adam.beta_1}, beta_2={adam.beta_2}"
            )
        self._ratio = adam.beta_1 / math.sqrt(adam.beta_2)
        steps = np.arange(1, _TABULATED + 1, dtype=np.float64)
        correction = np.sqrt(1.0 - adam.beta_2**steps) / (1.0 - adam.beta_1**steps)
        ahead = np.empty(_TABULATED, np.float64)
        following = correction[-1] * self._ratio / (1.0 - self._ratio)
        for step in range(_TABULATED - 1, -1, -1):
            following = ahead[step] = self._ratio * (correction[step] + following)
        self._ahead = ahead.astype(np.float32)

    def read(self, table: TableVariables, rows: tf.Tensor, step: tf.Tensor, learning_rate: tf.Tensor) -> Rows:
        last = tf.gather(table.last, rows)
        return self._caught_up(super().read(table, rows, step, learning_rate), last, step - 1, learning_rate)

    def write(
        self,
        table: TableVariables,
        rows: tf.Tensor,
        state: Rows,
        gradient: tf.Tensor,
        step: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> None:
        super().write(table, rows, state, gradient, step, learning_rate)
        # The step is later than what stands there; read all the same, so that the compiler knows that all reading comes
        # before the writing. Else it copies the steps of the whole table, twice at every step.
        _scatter(table.last, rows, tf.maximum(tf.gather(table.last, rows), step))

    def sweep(self, table: TableVariables, step: tf.Tensor, learning_rate: tf.Tensor) -> None:
        state = Rows(tf.identity(table.w), tf.identity(table.m), tf.identity(table.v))
        swept = self._caught_up(state, tf.identity(table.last), step, learning_rate)
        for variable, value in zip((table.w, table.m, table.v), swept, strict=True):
            variable.assign(value)
        table.last.assign(tf.fill(tf.shape(table.last), step))

    def _caught_up(self, state: Rows, last: tf.Tensor, step: tf.Tensor, learning_rate: tf.Tensor) -> Rows:
        """``state`` as of the end of ``step``, given the step ``[rows]`` up to which each row is up to date."""
        adam, ratio = self.adam, self._ratio
        missed = tf.cast(step - last, tf.float32)
        distance = learning_rate * (self._sum_ahead(last) - power(ratio, missed) * self._sum_ahead(step))
        w = state.w - distance[:, None] * state.m / (tf.sqrt(state.v) + adam.epsilon)
        m = state.m * power(adam.beta_1, missed)[:, None]
        v = state.v * power(adam.beta_2, missed)[:, None]
        # A row that missed nothing comes back bit for bit: it moves by exactly 0 and decays by exactly 1.
        return Rows(w, m, v)

    def _sum_ahead(self, step: tf.Tensor) -> tf.Tensor:
        """``G``: beyond the table the correction hardly bends, so its value at the mean distance stands for all."""
        tabulated = tf.gather(self._ahead, tf.minimum(step, _TABULATED - 1))
        mean = tf.cast(step, tf.float32) + 1.0 / (1.0 - self._ratio)
        beyond = self.adam.correction(mean) * self._ratio / (1.0 - self._ratio)
        return tf.where(step < _TABULATED, tabulated, beyond)


class DenseAdam:
    """Adam on every row of the table at every step: the reference, and as cheap where a batch reads most rows."""

    def __init__(self, adam: Adam) -> None:
        self.adam = adam

    def read(self, table: TableVariables, rows: tf.Tensor, step: tf.Tensor, learning_rate: tf.Tensor) -> Rows:
        w = tf.gather(table.w, rows)
        return Rows(w, w, w)

    def write(
        self,
        table: TableVariables,
        rows: tf.Tensor,
        state: Rows,
        gradient: tf.Tensor,
        step: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> None:
        gradient = _without_padding(rows, gradient)
        whole = tf.math.unsorted_segment_sum(gradient, rows, table.w.shape[0])
        rate = learning_rate * self.adam.correction(tf.cast(step, tf.float32))
        moved = self.adam.move(tf.identity(table.w), tf.identity(table.m), tf.identity(table.v), whole, rate)
        for variable, value in zip((table.w, table.m, table.v), moved, strict=True):
            variable.assign(value)

    def sweep(self, table: TableVariables, step: tf.Tensor, learning_rate: tf.Tensor) -> None:
        """Nothing is ever behind."""


OPTIMIZERS: dict[str, type[LazyAdam] | type[CatchUpAdam] | type[DenseAdam]] = {
    "catch_up_adam": CatchUpAdam,
    "lazy_adam": LazyAdam,
    "dense_adam": DenseAdam,
}


def _without_padding(rows: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    """The padding row has no gradient whatever a model does with it, so it stays zero."""
    return tf.where((rows != PADDING_ROW)[:, None], gradient, 0.0)


def _scatter(variable: tf.Variable, rows: tf.Tensor, values: tf.Tensor) -> None:
    tf.raw_ops.ResourceScatterUpdate(resource=variable.handle, indices=rows, updates=values)
