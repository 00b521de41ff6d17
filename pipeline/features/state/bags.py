"""Bags over earlier days: by context how often each value was taken, and every owner's own events with their bags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.config.bags import BagCounter, OverBag
from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.frames.keyed import Keyed, Layered
from pipeline.features.ids.fingerprints import Codes, are_known
from pipeline.features.state.counters import CounterTable
from pipeline.features.state.events import Events, HistoryRows
from pipeline.features.state.histories import HistoryRule, HistoryTable
from pipeline.features.state.keys import ids_of

CONTEXTS, VALUES = "contexts", "values"
EVENT = "event"
"""The part of an owner's event: its context and behind it the values of its bag, as one list."""


@dataclass(frozen=True)
class BagRule:
    """What is kept of a context and a bag.

    Attributes:
        half_lives: ascending, those that any counter asks for of the events of all.
        keep: by owner feature, how many of an owner's newest events are kept.
    """

    half_lives: tuple[float, ...]
    keep: Mapping[str, int]


def joined(context: Codes, bags: Lists) -> Lists:
    """Events as they are kept, of their contexts and the values of their bags."""
    values = np.insert(bags.values.astype(np.int64, copy=False), bags.offsets[:-1], context)
    return Lists(bags.offsets + np.arange(len(bags) + 1), values)


def parted(events: Lists) -> tuple[Codes, Lists]:
    """The contexts ``[events]`` and the bags that ``joined`` made the events of."""
    first = events.offsets[:-1]
    rest = np.ones(len(events.values), np.bool_)
    rest[first] = False
    return events.values[first], Lists(events.offsets - np.arange(len(events) + 1), events.values[rest])


def bag_rules(counters: Iterable[OverBag]) -> dict[tuple[str, ...], BagRule]:
    """By context and bag, what is kept for the counters over them."""
    found: dict[tuple[str, ...], BagRule] = {}
    for each in counters:
        before = found.get((each.context, each.bag), BagRule((), {}))
        keep = dict(before.keep)
        if each.owner is not None:
            keep[each.owner] = max(keep.get(each.owner, 0), each.keep)
        halved = each.half_lives if isinstance(each, BagCounter) else set()
        found[each.context, each.bag] = BagRule(tuple(sorted({*before.half_lives, *halved})), keep)
    return found


@dataclass(frozen=True)
class AllEvents:
    """The events of all.

    Attributes:
        contexts: by context, its events.
        values: by context and value, the events that hold the value.
    """

    contexts: CounterTable
    values: CounterTable

    @cached_property
    def members(self) -> Keyed:
        """By context, the codes of the ``values`` that were ever taken in it, ascending."""
        context, value = ids_of(self.values.table.merged, 2)
        order = np.lexsort((value, context))
        keys, counts = np.unique(context, return_counts=True)
        ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Keyed(keys, {VALUES: Lists(ends, value[order])})


@dataclass(frozen=True)
class BagTables:
    """What is known of one bag by one context.

    Attributes:
        all: the events of all.
        own: by owner feature, the owners' events of all contexts, oldest first.
    """

    rule: BagRule
    all: AllEvents
    own: Mapping[str, HistoryTable]

    @classmethod
    def empty(cls, rule: BagRule) -> BagTables:
        own = {
            owner: HistoryTable.empty(HistoryRule(1, (EVENT,), keep, "active", 0, merge=False))
            for owner, keep in rule.keep.items()
        }
        every = AllEvents(CounterTable.empty(1, rule.half_lives), CounterTable.empty(2, rule.half_lives))
        return cls(rule, every, own)

    @property
    def layered(self) -> dict[str, Layered]:
        """All tables by name, to be stored."""
        own = {f"own/{name}": each.table for name, each in self.own.items()}
        return {CONTEXTS: self.all.contexts.table, VALUES: self.all.values.table, **own}

    def of(self, tables: Mapping[str, Layered]) -> BagTables:
        """The same of other ``layered`` tables."""
        own = {name: replace(each, table=tables[f"own/{name}"]) for name, each in self.own.items()}
        contexts = replace(self.all.contexts, table=tables[CONTEXTS])
        return BagTables(self.rule, AllEvents(contexts, replace(self.all.values, table=tables[VALUES])), own)

    def after(self, key: tuple[str, ...], events: Events) -> BagTables:
        """The tables after a day; one that was stored without their features has no events for them.

        Args:
            key: names of the features that are the context and the bag.
        """
        context, bag = key
        if bag not in events.bags or not {context, *self.own} <= set(events.keys):
            return self
        owners = {name: events.keys[name] for name in self.own}
        return self.apply(owners, events.keys[context], events.bags[bag], events.label, events.day)

    def apply(
        self, owners: Mapping[str, Codes], context: Codes, bags: Lists, label: NDArray[np.int8], day: Day
    ) -> BagTables:
        """The tables after a day's events: the positive ones count, whose context is known.

        Args:
            owners: by owner feature, codes ``[events]``.
            bags: codes of each event's values, each once.
        """
        taken = np.flatnonzero((label == 1) & are_known(context))
        context, bags = context[taken], bags.take(taken)
        each = np.repeat(context, bags.lengths)
        parts = {EVENT: joined(context, bags)}
        return BagTables(
            self.rule,
            AllEvents(
                self.all.contexts.apply((context,), np.ones(len(context), np.int8), day),
                self.all.values.apply((each, bags.values), np.ones(len(each), np.int8), day),
            ),
            {name: table.apply(HistoryRows((owners[name][taken],), parts), day) for name, table in self.own.items()},
        )
