"""Counts and rates by key over earlier days: what has been seen, how often, and how long ago.

A decayed value is stored as of the last event of its key and brought to the day that asks, so a day touches only the
keys it has events of, and every way of arriving at a state gives the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.features.frames.keyed import Keyed, Layered
from pipeline.features.ids.fingerprints import Codes, key_of
from pipeline.features.state.keys import id_columns, in_order, no_ids, updated

_CELLS = ("count", "positive", "last_day", "last_positive", "decayed", "decayed_positive")


@dataclass(frozen=True)
class Cells:
    """What is known of some keys; all zero where a key has no events.

    Attributes:
        count: int64 ``[…]`` events; ``positive``: int64, those with a positive label, or float64, a value's sum.
        last_day: int32 ordinal of the last event, 0 = never; ``last_positive``: of the last positive one.
        half_lives: days, one for each column of the decayed values.
        decayed: float64 ``[…, half-lives]`` events as decayed on ``last_day``; ``decayed_positive``: the positive ones.
    """

    count: NDArray[np.int64]
    positive: NDArray[Any]
    last_day: NDArray[np.int32]
    last_positive: NDArray[np.int32]
    half_lives: tuple[float, ...]
    decayed: NDArray[np.float64]
    decayed_positive: NDArray[np.float64]

    def known(self, half_life: float | None, day: Day) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Events and positive ones as they weigh on ``day``: with a half-life, 0.5^(days between / half-life) each."""
        if half_life is None:
            return self.count.astype(np.float64), self.positive.astype(np.float64)
        column = self.half_lives.index(half_life)
        elapsed = np.where(self.last_day > 0, day.ordinal - self.last_day.astype(np.int64), 0)
        weight = decay(half_life, elapsed)
        return self.decayed[..., column] * weight, self.decayed_positive[..., column] * weight

    def counted(self, n: NDArray[np.int64], positive: NDArray[Any], day: Day) -> Cells:
        """The cells after a day's events: ``n`` of them (at least one each), ``positive`` of which were positive, or of
        which it is the sum."""
        elapsed = np.where(self.last_day > 0, day.ordinal - self.last_day.astype(np.int64), 0)
        decayed, decayed_positive = np.empty_like(self.decayed), np.empty_like(self.decayed_positive)
        for column, half_life in enumerate(self.half_lives):
            weight = decay(half_life, elapsed)
            decayed[..., column] = self.decayed[..., column] * weight + n
            decayed_positive[..., column] = self.decayed_positive[..., column] * weight + positive
        return Cells(
            self.count + n,
            self.positive + positive,
            np.full(self.last_day.shape, day.ordinal, np.int32),
            np.where(positive > 0, np.int32(day.ordinal), self.last_positive),
            self.half_lives,
            decayed,
            decayed_positive,
        )

    def columns(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        return {name: getattr(self, name) for name in _CELLS}

    @classmethod
    def absent(cls, shape: tuple[int, ...], half_lives: tuple[float, ...], *, sums: bool = False) -> Cells:
        """The cells of keys without events; of ``sums``, of a value."""
        wide, positive = (*shape, len(half_lives)), np.zeros(shape, np.float64 if sums else np.int64)
        return cls(
            np.zeros(shape, np.int64), positive, np.zeros(shape, np.int32), np.zeros(shape, np.int32),
            half_lives, np.zeros(wide), np.zeros(wide),
        )  # fmt: skip


def decay(half_life: float, elapsed: NDArray[np.int64]) -> NDArray[np.float64]:
    """0.5^(elapsed / half_life) for whole days ≥ 0.

    Looked up, not computed: a vectorised power may differ in its last bit with the place of a value in its array.
    """
    longest = int(elapsed.max(initial=0))
    return _decays(half_life, max(longest, 1023).bit_length())[elapsed]


@lru_cache(maxsize=64)
def _decays(half_life: float, bits: int) -> NDArray[np.float64]:
    return np.array([0.5 ** (days / half_life) for days in range(1 << bits)])


@dataclass(frozen=True)
class CounterTable:
    """The cells of every key that has had events.

    Attributes:
        arity: ids in a key.
        half_lives: ascending, those that any counter of the key asks for.
        table: the cells' arrays by key (``codes.key_of``), beside the codes of its ids.
    """

    arity: int
    half_lives: tuple[float, ...]
    table: Layered

    @classmethod
    def empty(cls, arity: int, half_lives: tuple[float, ...], *, sums: bool = False) -> CounterTable:
        columns = {**Cells.absent((0,), half_lives, sums=sums).columns(), **id_columns(no_ids(arity))}
        return cls(arity, half_lives, Layered.of(Keyed(np.zeros(0, np.int64), columns)))

    def apply(
        self, codes: tuple[Codes, ...], label: NDArray[np.int8], day: Day, values: NDArray[np.float32] | None = None
    ) -> CounterTable:
        """The table after a day's events, of whose keys ``codes`` are the ids; those with an unknown id are left out.

        Args:
            values: ``[events]`` what is summed in the place of positive labels; an event where it is NaN is left out.

        Raises:
            DataError: two keys of other ids cannot be told apart.
        """
        if values is not None:
            there = np.flatnonzero(~np.isnan(values))
            codes, values = tuple(each[there] for each in codes), values[there]
        keys, rows = in_order(codes)
        if not len(keys):
            return self
        starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        n = np.diff(starts, append=len(keys))
        positives: NDArray[Any]
        if values is None:
            positives = np.add.reduceat((label[rows] == 1).astype(np.int64), starts)
        else:  # one after another, in the rows' order
            positives = np.bincount(np.repeat(np.arange(len(starts)), n), values[rows].astype(np.float64))
        cells = self._cells(keys[starts]).counted(n, positives, day)
        ids = id_columns(tuple(each[rows[starts]] for each in codes))
        table = updated(self.table, Keyed(keys[starts], {**cells.columns(), **ids}), self.arity)
        return CounterTable(self.arity, self.half_lives, table)

    def lookup(self, *codes: Codes) -> Cells:
        """The cells of keys, of the shape that the codes of their ids broadcast to; absent ones read as zero."""
        return self._cells(key_of(*codes))

    def distinct(self, *codes: Codes) -> tuple[Cells, NDArray[np.int64] | None]:
        """Cells, and the place of each key's among them; ``None`` where they stand in the keys' order (``lookup``)."""
        return self.lookup(*codes), None

    def _cells(self, keys: NDArray[np.int64]) -> Cells:
        found: dict[str, Any] = self.table.at(keys.ravel(), _CELLS)
        shaped = {name: column.reshape(*keys.shape, *column.shape[1:]) for name, column in found.items()}
        return Cells(half_lives=self.half_lives, **shaped)

    def __len__(self) -> int:
        return len(self.table.merged)


