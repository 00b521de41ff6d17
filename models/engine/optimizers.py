"""What moves embedding tables, row by row; all of it traceable into one XLA step.

Three ways, one interface:

* :class:`RowsAlone`: the rows of the batch move as the rule says, all others stand still (``lazy_adam``, ``adagrad``,
  ``sgd``, ``ftrl``). For a rule that does nothing without a gradient, as Adagrad and FTRL do not, this is what the
  dense optimiser does.
* :class:`CatchUpAdam`: what dense Adam does, at the price of the rows that a batch reads. Dense Adam goes on
  moving a row by its momentum after its id has gone; here a row remembers the step at which it was last
  updated, and when it is next read its missed steps (all of gradient zero) are applied in closed form.
* :class:`WholeTable`: every row moves at every step, as in Keras (``dense_adam``).

``sweep`` brings every row up to date, so that what is tested, stored and exported is plain optimiser state.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from models.engine.tables import PADDING_ROW
from models.engine.update_rules import Adagrad, Adam, Ftrl, Rule, Sgd, Values, power
from models.optimizer_settings import (
    AdagradSettings,
    AdamSettings,
    CatchUpAdamSettings,
    DenseAdamSettings,
    FtrlSettings,
    OfTable,
    Optimizers,
    Settings,
    SgdSettings,
)
from models.tables import Fused, TableSpec

_TABULATED = 4096


@dataclass(frozen=True)
class TableVariables:
    """A fused table on the device.

    Attributes:
        w: ``[rows, width]`` weights.
        slots: ``[rows, width]`` each, by name.
        last: int32 ``[rows]``, the step at which a row was last up to date.
    """

    w: tf.Variable
    slots: Mapping[str, tf.Variable]
    last: tf.Variable

    @property
    def parts(self) -> dict[str, tf.Variable]:
        """The weights, ``w``, then every slot."""
        return {"w": self.w, **self.slots}


class TableOptimizer(Protocol):
    """How the rows that a batch reads are brought up to date, updated, and swept."""

    @property
    def rule(self) -> Rule:
        """How a row moves; it declares the slots."""

    def read(self, table: TableVariables, rows: tf.Tensor, step: tf.Tensor, learning_rate: tf.Tensor) -> Values:
        """The rows as they stand before step ``step`` (int32, from 1).

        Args:
            rows: distinct but for padding, with which they begin.
        """

    def write(
        self,
        table: TableVariables,
        rows: tf.Tensor,
        state: Values,
        gradient: tf.Tensor,
        step: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> None:
        """Update the rows that :meth:`read` gave by their gradient ``[rows, width]``."""

    def sweep(self, table: TableVariables, step: tf.Tensor, learning_rate: tf.Tensor) -> None:
        """Bring every row up to the end of step ``step``."""


class RowsAlone:
    """The rule on the rows of the batch only; rows that are absent stand still, slots included.

    Args:
        rule: of each row.
        l2: of ``l2`` times the squares of the batch's rows, which is minimised too; rows out of the batch do not count.
    """

    def __init__(self, rule: Rule, l2: float = 0.0) -> None:
        self.rule = rule
        self._l2 = l2

    def read(self, table: TableVariables, rows: tf.Tensor, step: tf.Tensor, learning_rate: tf.Tensor) -> Values:
        w, *slots = (tf.gather(variable, rows) for variable in table.parts.values())
        return Values(w, tuple(slots))

    def write(
        self,
        table: TableVariables,
        rows: tf.Tensor,
        state: Values,
        gradient: tf.Tensor,
        step: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> None:
        gradient = self._gradient(table, rows, state, gradient)
        moved = self.rule.move(state, gradient, self.rule.rate(learning_rate, step))
        for variable, value in zip(table.parts.values(), (moved.w, *moved.slots), strict=True):
            _scatter(variable, rows, value)

    def sweep(self, table: TableVariables, step: tf.Tensor, learning_rate: tf.Tensor) -> None:
        """Nothing is ever behind."""

    def _gradient(self, table: TableVariables, rows: tf.Tensor, state: Values, gradient: tf.Tensor) -> tf.Tensor:
        """The padding row has no gradient whatever a model does with it, so it stays zero."""
        if self._l2:
            gradient += 2.0 * self._l2 * state.w
        return tf.where((rows != PADDING_ROW)[:, None], gradient, self._nothing(table, rows))

    def _nothing(self, table: TableVariables, rows: tf.Tensor) -> tf.Tensor:
        return tf.zeros((1, 1))


class CatchUpAdam(RowsAlone):
    """Adam on the batch's rows, which first make up for the steps that they missed.

    After ``j`` steps without gradient the moments are ``b1^j m`` and ``b2^j v``, so with ``r = b1 / sqrt(b2)``
    step ``t + j`` moves the weight by ``lr c(t + j) r^j m / (sqrt(v) + eps)``, ``c`` being the bias correction
    (and ``eps`` taken as if it shrank with ``v``). The sum over the ``k`` missed steps after ``t`` is
    ``G(t) - r^k G(t + k)`` with ``G(t) = r (c(t + 1) + G(t + 1))``, all steps ahead: a function of the step
    alone, tabulated once.
    """

    def __init__(self, settings: CatchUpAdamSettings, first_rate: float | None = None) -> None:
        self.adam = Adam(settings, first_rate)
        super().__init__(self.adam, settings.l2)
        beta_1, beta_2 = settings.beta_1, settings.beta_2
        self._ratio = beta_1 / math.sqrt(beta_2)
        steps = np.arange(1, _TABULATED + 1, dtype=np.float64)
        correction = np.sqrt(1.0 - beta_2**steps) / (1.0 - beta_1**steps)
        ahead = np.empty(_TABULATED, np.float64)
        following = correction[-1] * self._ratio / (1.0 - self._ratio)
        for step in range(_TABULATED - 1, -1, -1):
            following = ahead[step] = self._ratio * (correction[step] + following)
        self._ahead = ahead.astype(np.float32)

    def read(self, table: TableVariables, rows: tf.Tensor, step: tf.Tensor, learning_rate: tf.Tensor) -> Values:
        last = tf.gather(table.last, rows)
        return self._caught_up(super().read(table, rows, step, learning_rate), last, step - 1, learning_rate)

    def write(
        self,
        table: TableVariables,
        rows: tf.Tensor,
        state: Values,
        gradient: tf.Tensor,
        step: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> None:
        super().write(table, rows, state, gradient, step, learning_rate)
        # The step is later than what stands there; read all the same, so that the compiler knows that all reading comes
        # before the writing. Else it copies the steps of the whole table, twice at every step.
        _scatter(table.last, rows, tf.maximum(tf.gather(table.last, rows), step))

    def sweep(self, table: TableVariables, step: tf.Tensor, learning_rate: tf.Tensor) -> None:
        w, *slots = (tf.identity(variable) for variable in table.parts.values())
        swept = self._caught_up(Values(w, tuple(slots)), tf.identity(table.last), step, learning_rate)
        for variable, value in zip(table.parts.values(), (swept.w, *swept.slots), strict=True):
            variable.assign(value)
        table.last.assign(tf.fill(tf.shape(table.last), step))

    def _nothing(self, table: TableVariables, rows: tf.Tensor) -> tf.Tensor:
        # The padding row, which stands first. Read once more, so that the compiler gathers rows in a loop of its own
        # and lets them catch up in one that it vectorises; else it does both at once, element by element.
        return tf.gather(table.w, rows)[:1]

    def _caught_up(self, state: Values, last: tf.Tensor, step: tf.Tensor, learning_rate: tf.Tensor) -> Values:
        """``state`` as of the end of ``step``, given the step ``[rows]`` up to which each row is up to date."""
        settings, ratio = self.adam.settings, self._ratio
        w, (m, v) = state
        missed = tf.cast(step - last, tf.float32)
        ahead = self._sum_ahead(last) - power(ratio, missed) * self._sum_ahead(step)
        distance = self.adam.own_rate(learning_rate) * ahead
        w = w - distance[:, None] * m / (tf.sqrt(v) + settings.epsilon)
        m = m * power(settings.beta_1, missed)[:, None]
        v = v * power(settings.beta_2, missed)[:, None]
        # A row that missed nothing comes back bit for bit: it moves by exactly 0 and decays by exactly 1.
        return Values(w, (m, v))

    def _sum_ahead(self, step: tf.Tensor) -> tf.Tensor:
        """``G``: beyond the table the correction hardly bends, so its value at the mean distance stands for all."""
        tabulated = tf.gather(self._ahead, tf.minimum(step, _TABULATED - 1))
        mean = tf.cast(step, tf.float32) + 1.0 / (1.0 - self._ratio)
        beyond = self.adam.correction(mean) * self._ratio / (1.0 - self._ratio)
        return tf.where(step < _TABULATED, tabulated, beyond)


class WholeTable(RowsAlone):
    """The rule on every row of the table at every step: the reference, and as cheap where a batch reads most rows."""

    def read(self, table: TableVariables, rows: tf.Tensor, step: tf.Tensor, learning_rate: tf.Tensor) -> Values:
        return Values(tf.gather(table.w, rows))

    def write(
        self,
        table: TableVariables,
        rows: tf.Tensor,
        state: Values,
        gradient: tf.Tensor,
        step: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> None:
        gradient = self._gradient(table, rows, state, gradient)
        whole = tf.math.unsorted_segment_sum(gradient, rows, table.w.shape[0])
        w, *slots = (tf.identity(variable) for variable in table.parts.values())
        moved = self.rule.move(Values(w, tuple(slots)), whole, self.rule.rate(learning_rate, step))
        for variable, value in zip(table.parts.values(), (moved.w, *moved.slots), strict=True):
            variable.assign(value)


_RULES: tuple[tuple[type[Settings], Any], ...] = (
    (AdamSettings, Adam),
    (AdagradSettings, Adagrad),
    (SgdSettings, Sgd),
    (FtrlSettings, Ftrl),
)


def rule_of(settings: Settings, first_rate: float | None = None) -> Rule:
    """How the weights move that these settings are for; ``first_rate`` as of ``update_rules.Rated``."""
    rule: Rule = next(rule(settings, first_rate) for of, rule in _RULES if isinstance(settings, of))
    return rule


def table_optimizer(settings: Settings, first_rate: float | None = None) -> TableOptimizer:
    """What moves the tables that these settings are for."""
    if isinstance(settings, CatchUpAdamSettings):
        return CatchUpAdam(settings, first_rate)
    way = WholeTable if isinstance(settings, DenseAdamSettings) else RowsAlone
    return way(rule_of(settings, first_rate), settings.l2 if isinstance(settings, OfTable) else 0.0)


def fused_by_optimizer(
    specs: Iterable[TableSpec], settings: Optimizers, first_rate: float | None = None
) -> tuple[tuple[TableSpec, ...], dict[Fused, TableOptimizer]]:
    """A model's tables, each told apart by what moves it, and what moves each fused one.

    Raises:
        ValueError: FTRL is to move a table that does not start at zero, or a name is of no table.
    """
    specs = tuple(specs)
    settings.check_names(spec.name for spec in specs)
    ways: dict[int, list[Settings]] = {}
    apart: list[TableSpec] = []
    for spec in specs:
        own, of_width = settings.of_table(spec.name), ways.setdefault(spec.width, [])
        if isinstance(own, FtrlSettings) and spec.first != "zeros":
            raise ValueError(
                f"optimizer: ftrl is for tables that start at zero, and the rows of '{spec.name}' are drawn: give it "
                "another under `tables`, and ftrl under `named` to those of a linear part"
            )
        if own not in of_width:
            of_width.append(own)
        apart.append(replace(spec, way=of_width.index(own)))
    return tuple(apart), {
        Fused(width, way): table_optimizer(own, first_rate)
        for width, of_width in ways.items() for way, own in enumerate(of_width)
    }  # fmt: skip


def _scatter(variable: tf.Variable, rows: tf.Tensor, values: tf.Tensor) -> None:
    tf.raw_ops.ResourceScatterUpdate(resource=variable.handle, indices=rows, updates=values)
