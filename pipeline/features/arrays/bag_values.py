"""A counter over bags by request and candidate, from the state as of the end of the day before."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.config.bags import BagCounter, OverBag
from pipeline.days import Day
from pipeline.features.arrays.candidates import Candidates
from pipeline.features.arrays.counter_values import NEVER
from pipeline.features.arrays.feature_codes import frame_codes
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows
from pipeline.features.state.bags import EVENT, BagTables, parted
from pipeline.features.state.counters import Cells, decay

Floats = NDArray[np.float64]


def bag_value(counter: BagCounter, asked: AskedBags, own: OwnEvents | None, day: Day) -> Floats:
    """A declared counter over bags for ``day``, ``[pairs]``, from a state of the day before (see ``BagCounter``)."""
    if counter.measure == "likelihood":
        return likelihood(counter, asked, own, day)
    if counter.measure == "size":
        size = np.log1p(asked.bags.lengths)
        return size if own is None else own.larger(counter, size, day)
    if counter.measure == "trend":
        lately, before = (asked.held(each, day) + counter.rare for each in sorted(counter.half_lives))
        return asked.mean(np.log(lately) - np.log(before))
    if counter.measure == "overlap":
        assert own is not None  # as the settings say
        return own.overlap(asked.bags)
    if counter.measure == "count":
        held = own.weights(counter, day)[0] if own is not None else asked.held(counter.half_life, day)
        return np.log1p(asked.sums(held))
    last = own.last_day if own is not None else asked.last_day
    since = np.where(last > 0, np.minimum(day.ordinal - last, NEVER), NEVER)
    return asked.mean(np.log1p(since))


def likelihood(counter: BagCounter, asked: AskedBags, own: OwnEvents | None, day: Day) -> Floats:
    """The sum over each pair's bag of the logit of its values' shares, ``[pairs]`` (see ``BagCounter``)."""
    share = asked.share(counter, day)
    if own is not None:
        held, events = own.weights(counter, day)
        share = (held + counter.prior * share) / (events + counter.prior)
    share = np.clip(share, counter.clip, 1 - counter.clip)
    return asked.sums(np.log(share) - np.log1p(-share))


@dataclass(frozen=True)
class AskedBags:
    """The bags of a day's pairs of request and candidate, value by value, and what is known of them.

    Attributes:
        request, context: of each pair ``[pairs]``: its request, and the code of its context.
        bags: codes of each pair's values, each once.
    """

    request: NDArray[np.int64]
    context: Codes
    bags: Lists
    tables: BagTables
    _shares: dict[tuple[float, float, Day], Floats] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls, plan: Plan, rows: DayRows, candidates: Candidates, counter: OverBag, tables: BagTables
    ) -> AskedBags:
        items = candidates.items
        if counter.context in candidates.codes:
            context = candidates.codes[counter.context][items.pair_item]
        else:
            context = frame_codes(plan, plan.features[counter.context], rows.requests)[items.request]
        bags = candidates.bags[counter.bag].take(items.pair_item.astype(np.int64))
        return cls(items.request, context, bags, tables)

    def only(self, pairs: NDArray[np.int64]) -> AskedBags:
        """Some of the pairs."""
        return AskedBags(self.request[pairs], self.context[pairs], self.bags.take(pairs), self.tables)

    def with_events(self, owner: Codes, name: str) -> NDArray[np.int64]:
        """The pairs in whose context their ``owner``, codes ``[requests]``, has events."""
        entries = self.tables.own[name].entries((owner,))
        held_by = np.repeat(np.arange(len(entries.offsets) - 1), np.diff(entries.offsets))
        contexts, _ = parted(entries.parts[EVENT])
        asked = entries.rows[self.request], self.context
        return np.flatnonzero(numbered((held_by, contexts), asked)[1] >= 0)

    @cached_property
    def pair(self) -> NDArray[np.int64]:
        """The pair of each value."""
        return np.repeat(np.arange(len(self.bags)), self.bags.lengths)

    def share(self, counter: BagCounter, day: Day) -> Floats:
        """What share of the events of all in a value's context hold it, ``[values]``; made once for like counters."""
        key = counter.half_life, counter.rare, day
        if key not in self._shares:
            every = self._every.known(counter.half_life, day)[0]
            self._shares[key] = (self.held(counter.half_life, day) + counter.rare) / (every + 1)[self.pair]
        return self._shares[key]

    def held(self, half_life: float, day: Day) -> Floats:
        """The events of all in a value's context that hold it, as they have decayed, ``[values]``."""
        return self._cells.known(half_life, day)[0]

    @property
    def last_day(self) -> NDArray[np.int64]:
        """The ordinal of the last event of all in a value's context that held it, ``[values]``; 0 for none."""
        return self._cells.last_day.astype(np.int64)

    @cached_property
    def _every(self) -> Cells:
        return self.tables.all.contexts.lookup(self.context)

    @cached_property
    def _cells(self) -> Cells:
        return self.tables.all.values.lookup(self.context[self.pair], self.bags.values)

    def sums(self, values: Floats) -> Floats:
        """By pair the sum over its values, one after another, ``[pairs]``."""
        return sums(self.pair, values, len(self.bags))

    def mean(self, values: Floats) -> Floats:
        """By pair the mean over its values, ``[pairs]``; 0 of none."""
        return self.sums(values) / np.maximum(self.bags.lengths, 1)


@dataclass(frozen=True)
class OwnEvents:
    """The owners' own events in the contexts that a day asks for.

    Attributes:
        days, later: of each event ``[events]`` its day's ordinal, and how many of its owner and context came later.
        group: the (owner, context) of each event, of ``groups`` ones; ``of_pair``: of each pair, -1 where it has none.
        pair: of each asked value.
        event, cell: of each value of each event, and the (owner, context, value) that it is, of ``cells`` ones.
        at: the cell of each asked value, -1 where there is none.
    """

    days: NDArray[np.int64]
    later: NDArray[np.int64]
    group: NDArray[np.int64]
    groups: int
    of_pair: NDArray[np.int64]
    pair: NDArray[np.int64]
    event: NDArray[np.int64]
    cell: NDArray[np.int64]
    cells: int
    at: NDArray[np.int64]

    @classmethod
    def of(cls, asked: AskedBags, owner: Codes, name: str) -> OwnEvents:
        """The events of ``owner``, codes ``[requests]``."""
        entries = asked.tables.own[name].entries((owner,))
        held_by = np.repeat(np.arange(len(entries.offsets) - 1), np.diff(entries.offsets))
        context, bags = parted(entries.parts[EVENT])
        group, of_pair, groups = numbered((held_by, context), (entries.rows[asked.request], asked.context))
        event = np.repeat(np.arange(len(bags)), bags.lengths)
        cell, at, cells = numbered(
            (group[event], bags.values), (of_pair[asked.pair], asked.bags.values)
        )
        return cls(
            entries.days.astype(np.int64), _later(group, groups), group, groups, of_pair, asked.pair, event, cell,
            cells, at,
        )  # fmt: skip

    def weights(self, counter: BagCounter, day: Day) -> tuple[Floats, Floats]:
        """The own events that hold each asked value, and all in its context, as they weigh on ``day``."""
        weight = self._weight(counter, day)
        held = np.append(sums(self.cell, weight[self.event], self.cells), 0.0)
        events = np.append(sums(self.group, weight, self.groups), 0.0)
        return held[self.at], events[self.of_pair[self.pair]]

    def _weight(self, counter: BagCounter, day: Day) -> Floats:
        if counter.own_half_life is not None:
            return decay(counter.own_half_life, day.ordinal - self.days)
        if counter.own_recency is not None:
            return decay(counter.own_recency, self.later)
        return np.ones(len(self.days))

    def larger(self, counter: BagCounter, size: Floats, day: Day) -> Floats:
        """How far each pair's ``size`` is above the mean of its own events', as they weigh; 0 where there is none."""
        weight = self._weight(counter, day)
        own = np.log1p(np.bincount(self.event, minlength=len(self.days)))
        every = np.append(sums(self.group, weight, self.groups), 0.0)
        mean = np.append(sums(self.group, weight * own, self.groups), 0.0) / np.where(every > 0, every, 1)
        return np.where(self.of_pair >= 0, size - mean[self.of_pair], 0.0)

    @cached_property
    def last_day(self) -> NDArray[np.int64]:
        """The ordinal of the last own event that holds each asked value; 0 for none."""
        last = np.zeros(self.cells + 1, np.int64)
        np.maximum.at(last, self.cell, self.days[self.event])
        return last[self.at]

    def overlap(self, bags: Lists) -> Floats:
        """By pair, the largest share of the values of its bag and of an own event's that both hold, ``[pairs]``."""
        order = np.argsort(self.cell, kind="stable")
        ends = np.concatenate([[0], np.cumsum(np.bincount(self.cell, minlength=self.cells))]).astype(np.int64)
        there = np.flatnonzero(self.at >= 0)
        holding = Lists(ends, self.event[order]).take(self.at[there])
        wide = max(len(self.days), 1)
        both = np.repeat(self.pair[there], holding.lengths) * wide + holding.values
        common, number = np.unique(both, return_counts=True)
        pair, event = np.divmod(common, wide)
        sizes = np.bincount(self.event, minlength=wide)
        out = np.zeros(len(bags))
        np.maximum.at(out, pair, number / (bags.lengths[pair] + sizes[event] - number))
        return out


def sums(place: NDArray[np.int64], values: Floats, places: int) -> Floats:
    """By place the sum of its values, one after another: the same whatever stands beside them."""
    return np.bincount(place, values, minlength=places).astype(np.float64, copy=False)


Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


def numbered(known: Pairs, asked: Pairs) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Pairs of numbers as one number each, from 0: of the known ones, and of those asked for, -1 where not known.

    Args:
        known, asked: two columns; the first is from -1 up, and nothing is known of -1.
    """
    values = np.unique(known[1])
    second = np.searchsorted(values, asked[1])
    second[second == len(values)] = 0
    there = (values[second] == asked[1]) & (asked[0] >= 0) if len(values) else np.zeros(len(asked[0]), np.bool_)
    wide = max(len(values), 1)
    keys, of_known = np.unique(known[0] * wide + np.searchsorted(values, known[1]), return_inverse=True)
    wanted = asked[0] * wide + second
    at = np.searchsorted(keys, wanted)
    at[at == len(keys)] = 0
    there &= keys[at] == wanted if len(keys) else False
    return of_known.astype(np.int64), np.where(there, at, -1), len(keys)


def _later(group: NDArray[np.int64], groups: int) -> NDArray[np.int64]:
    """How many events of its group stand behind each event."""
    order = np.argsort(group, kind="stable")
    ends = np.cumsum(np.bincount(group, minlength=groups))
    later = np.empty(len(group), np.int64)
    later[order] = ends[group[order]] - 1 - np.arange(len(group))
    return later
