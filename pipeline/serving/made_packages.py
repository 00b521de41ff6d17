"""The packages that requests have asked for, with what is theirs whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import Kind
from pipeline.days import Day
from pipeline.features.arrays.candidates import Candidates, candidates_of
from pipeline.features.arrays.homework_items import found_packages
from pipeline.features.arrays.items import DayItems
from pipeline.features.arrays.over_bags import with_bags, with_bags_of_nobody
from pipeline.features.arrays.pool import Pool
from pipeline.features.arrays.raw_values import bag_width
from pipeline.features.arrays.request import RequestArrays
from pipeline.features.arrays.request_histories import widened
from pipeline.features.frames.frame import Array, Lists
from pipeline.features.frames.from_arrow import ranks
from pipeline.features.frames.keyed import concat_lists
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.rows.homework_day import HomeworkDay
from pipeline.features.state.state import FeatureState
from pipeline.serving.raw_look_up import RawIds


class MadePackages:
    """The candidates of a day's requests: each package is made once, however many requests may be answered with it.

    Attributes:
        day: the day of the requests.
    """

    def __init__(self, arrays: RequestArrays[HomeworkDay], kind: HomeworkPlan, look: RawIds, day: Day) -> None:
        self.day = day
        self._arrays, self._kind, self._look = arrays, kind, look
        bags = [each.feature for each in arrays.plan.of_frame("item") if each.feature.kind is Kind.BAG]
        self._padding = {each.name: look.padding(str(each.space)) for each in bags}
        # All that is left of packages to be read with who asks.
        self._paired = ("sections",) if arrays.plan.of_frame("study") else ()
        self._lengths: Mapping[str, NDArray[np.int64]] = {}
        self._made = 0
        self._raw: Array = np.zeros(0, object)
        self._rank: NDArray[np.int64] = np.zeros(0, np.int64)
        self._values: Mapping[str, Array] = {}
        self._codes: Mapping[str, Array] = {}
        self._counters: Mapping[str, Array] = {}
        self._without_own: Mapping[str, Array] = {}
        self._bags: Mapping[str, Lists] = {}

    def of(self, rows: HomeworkDay, pool: Pool, state: FeatureState) -> Candidates:
        """The candidates of requests, an item a pair.

        Args:
            pool: the packages that were made before, and others behind them.
            state: what is known of them.
        """
        if len(pool.keys) > self._made:
            self._make(pool, state)
        found = found_packages(self._arrays.plan, self._kind, rows, pool)
        chosen = found.values
        items = DayItems(
            found.offsets, np.arange(len(chosen), dtype=np.int32), pool.keys[chosen], self._raw[chosen],
            np.zeros(len(chosen), np.int8), roles={name: pool.roles[name].take(chosen) for name in self._paired},
        )  # fmt: skip
        return Candidates(
            items,
            {name: self._narrow(name, values, chosen) for name, values in self._values.items()},
            {name: codes[chosen] for name, codes in self._codes.items()},
            {name: values[chosen] for name, values in self._counters.items()},
            {name: lists.take(chosen) for name, lists in self._bags.items()},
            {name: values[chosen] for name, values in self._without_own.items()},
            self._rank[chosen],
        )  # fmt: skip

    def _make(self, pool: Pool, state: FeatureState) -> None:
        new = np.arange(self._made, len(pool.keys))
        keys = pool.keys[new]
        items = DayItems(
            np.array([0, len(new)], np.int64), np.arange(len(new), dtype=np.int32), keys,
            self._look.of_codes(self._kind.item_space, keys), np.zeros(len(new), np.int8),
            roles={name: lists.take(new) for name, lists in pool.roles.items()},
        )  # fmt: skip
        made = candidates_of(self._arrays, items, self._look, state, self.day)
        for more in (with_bags, with_bags_of_nobody):
            made = more(self._arrays.plan, made, state, self.day)
        if not self._made:
            self._raw, self._values, self._codes, self._counters = items.raw, made.values, made.codes, made.counters
            self._bags, self._without_own = made.bags, made.without_own
        else:
            self._raw = np.concatenate([self._raw, items.raw])
            self._values = self._joined(self._values, made.values)
            self._codes = self._joined(self._codes, made.codes)
            self._counters = self._joined(self._counters, made.counters)
            self._without_own = self._joined(self._without_own, made.without_own)
            self._bags = {name: concat_lists([each, made.bags[name]]) for name, each in self._bags.items()}
        self._rank = ranks(self._raw)
        paddings: Mapping[str, Any] = self._padding
        self._lengths = {name: (self._values[name] != each).sum(axis=1) for name, each in paddings.items()}
        self._made = len(pool.keys)

    def _joined(self, before: Mapping[str, Array], new: Mapping[str, Array]) -> dict[str, Array]:
        """Both, bags as wide as the wider ones."""
        joined = {}
        for name, each in before.items():
            parts = [each, new[name]]
            if name in self._padding and each.ndim > 1:
                width = max(part.shape[1] for part in parts)
                parts = [widened(part, width, self._padding[name]) for part in parts]
            joined[name] = np.concatenate(parts)
        return joined

    def _narrow(self, name: str, values: Array, chosen: NDArray[np.int64]) -> Array:
        """The chosen ones, a bag as wide as its longest needs."""
        if name not in self._padding:
            return values[chosen]
        longest = int(self._lengths[name][chosen].max(initial=0))
        return values[:, : bag_width(longest, values.shape[1])][chosen]
