"""The newest values by owner and what it is rated on, such as a class and a section, as reported before the day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.features.frames.frame import Lists
from pipeline.features.frames.keyed import Keyed, Layered
from pipeline.features.ids.fingerprints import Codes, key_of
from pipeline.features.state.keys import id_columns, in_order, no_ids, updated


@dataclass(frozen=True)
class LatestTable:
    """By key of both ids: ``values`` float32 ``[size]`` and the ordinal of their ``day``."""

    size: int
    table: Layered

    @classmethod
    def empty(cls, size: int) -> LatestTable:
        columns = {"day": np.zeros(0, np.int32), "values": np.zeros((0, size), np.float32), **id_columns(no_ids(2))}
        return cls(size, Layered.of(Keyed(np.zeros(0, np.int64), columns)))

    def apply(self, codes: tuple[Codes, Codes], values: NDArray[np.float32], day: Day) -> LatestTable:
        """The table after a day's rows of two ids each; of rows with one key the last counts.

        Raises:
            DataError: the rows have another number of values, or two keys cannot be told apart.
        """
        if not len(codes[0]):
            return self
        if values.shape[1:] != (self.size,):
            raise DataError(f"newest values of {day}: {values.shape[1]} a row, but the job declares {self.size}")
        keys, rows = in_order(codes)
        last = np.concatenate([keys[1:] != keys[:-1], np.ones(min(len(keys), 1), np.bool_)])
        keys, rows = keys[last], rows[last]
        columns = {"day": np.full(len(rows), day.ordinal, np.int32), "values": np.asarray(values[rows], np.float32)}
        ids = id_columns(tuple(each[rows] for each in codes))
        return LatestTable(self.size, updated(self.table, Keyed(keys, {**columns, **ids}), 2))

    def means(self, owner: Codes, rated: Lists) -> NDArray[np.float32]:
        """Mean over what of a pair's list has values, and how many of it have.

        A value that is missing of one is left out of its own mean; missing of all, it is NaN.

        Args:
            owner: codes ``[pairs]``; rated: lists of codes, one a pair.

        Returns:
            float32 ``[pairs, size + 1]``, the number last.
        """
        out = np.full((len(owner), self.size + 1), np.nan, np.float32)
        out[:, -1] = 0
        filled = self._filled(rated)
        if not len(filled):
            return out
        lists = rated if len(filled) == len(owner) else rated.take(filled)
        found = self.table.at(self._keys(np.repeat(owner[filled], lists.lengths), lists.values), ("day", "values"))
        days, values = found["day"], found["values"]
        assert not isinstance(days, Lists)
        assert not isinstance(values, Lists)
        there = (days > 0)[:, None] & np.isfinite(values)
        starts = lists.offsets[:-1]
        total = np.add.reduceat(np.where(there, values, 0).astype(np.float64), starts, axis=0)
        count = np.add.reduceat(there.astype(np.int64), starts, axis=0)
        out[filled, :-1] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        out[filled, -1] = np.add.reduceat((days > 0).astype(np.int64), starts)
        return out

    def _filled(self, rated: Lists) -> NDArray[np.int64]:
        """The lists of which something may be known."""
        return np.flatnonzero(rated.lengths)

    def _keys(self, owner: Codes, rated: Codes) -> Codes:
        return key_of(owner, rated)
