"""The feature state: everything about earlier days that a day's features read. It only ever grows by one day.

A state is never changed: ``apply`` gives the next one, which shares with it what stays. Every way to a day, whether
rolled forward in memory or from any snapshot and the days after it, ends with the same bits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.bins import Bins
from pipeline.config.job import JobConfig
from pipeline.config.requests import Kind
from pipeline.days import Day
from pipeline.errors import ChainError, CorruptArtifact
from pipeline.features.frames.frame import Column, Lists
from pipeline.features.frames.keyed import Keyed, Layered
from pipeline.features.plan.counted import features_of
from pipeline.features.plan.plan import Plan
from pipeline.features.state.bags import BagRule, BagTables, bag_rules
from pipeline.features.state.bins import BinTable
from pipeline.features.state.catalogue import Catalogue
from pipeline.features.state.counters import Cells, CounterTable
from pipeline.features.state.delta import COUNTS_BY_ID, LATEST, NEGATIVES, Arrays, Delta, put_lists, take_lists
from pipeline.features.state.events import Events, HistoryRows
from pipeline.features.state.histories import HistoryRule, HistoryTable
from pipeline.features.state.homework import HomeworkState
from pipeline.features.state.impressions import ImpressionState
from pipeline.features.state.labelled import LabelledState
from pipeline.features.state.latest import LatestTable
from pipeline.features.state.request import RequestState

FORMAT = 2
"""Of what is stored of a state. 1 was keyed by indices: its days are grown anew from their tables."""
STATES: Mapping[Kind, Callable[[Any], RequestState]] = {
    "ranking": HomeworkState, "impressions": ImpressionState, "rows": LabelledState,
}  # fmt: skip
"""What is kept for a kind of request, made of the plan of its kind."""
BAGS, BINS = "bags", "bins"
Group = tuple[str, ...]
"""A counter's key: names of the features that make it; of a value, and last, ``=`` with its name."""
TOTALS = "totals"


@dataclass(frozen=True)
class StatePlan:
    """What a job's state holds, by its settings.

    Attributes:
        groups: each counter's key, with the half-lives that its counters ask for, ascending.
        history: what histories keep.
        roles: what the catalogue keeps of the attributes of what was offered.
        latest: how many values the table of the newest ones has a row.
        counts_by_id: what is kept of counts by owner and id; none where no feature is made of them.
        bags: by context and bag of counters over bags, what is kept of them.
        of_history: which events histories are of, and the levels of what came of them, where these are not the default.
        negatives: what is kept of what could have stood in the steps of histories; none where nothing is drawn.
        bins: by feature that is a bin of a number, its rule.
    """

    groups: Mapping[Group, tuple[float, ...]]
    history: HistoryRule
    roles: tuple[str, ...]
    latest: int
    counts_by_id: HistoryRule | None = None
    bags: Mapping[Group, BagRule] = field(default_factory=dict)
    of_history: str = ""
    negatives: HistoryRule | None = None
    bins: Mapping[str, Bins] = field(default_factory=dict)

    @classmethod
    def of(cls, config: JobConfig) -> StatePlan:
        plan = Plan(config)
        half_lives: dict[Group, set[float]] = {}
        for counter in plan.counters().values():
            if counter.key:
                wanted = half_lives.setdefault(counter.group, set())
                wanted |= counter.half_lives
        kept = STATES[config.kind](plan.request)
        groups = {group: tuple(sorted(wanted)) for group, wanted in half_lives.items()}
        bags = bag_rules(plan.over_bags)
        said = config.history.kept
        of_history = json.dumps(said) if said else ""
        return cls(
            groups, kept.history, kept.roles, kept.latest, kept.counts_by_id, bags, of_history, kept.negatives,
            plan.bins,
        )  # fmt: skip

    @cached_property
    def half_lives(self) -> tuple[float, ...]:
        """Every half-life of any counter, ascending."""
        return tuple(sorted({half_life for wanted in self.groups.values() for half_life in wanted}))

    @cached_property
    def summed(self) -> tuple[str, ...]:
        """What counters sum beside events."""
        return tuple(dict.fromkeys(group[-1][1:] for group in self.groups if features_of(group) != group))

    @cached_property
    def digest(self) -> str:
        """Of all settings that decide what a state holds: states of other settings are not comparable."""
        content: dict[str, Any] = {
            "groups": [[list(group), list(half_lives)] for group, half_lives in self.groups.items()],
            "format": FORMAT, "history": asdict(self.history), "roles": self.roles, LATEST: self.latest,
        }  # fmt: skip
        if self.counts_by_id is not None:
            content[COUNTS_BY_ID] = asdict(self.counts_by_id)
        if self.bags:
            content[BAGS] = [[list(key), asdict(rule)] for key, rule in self.bags.items()]
        if self.of_history:
            content["of_history"] = self.of_history
        if self.negatives is not None:
            content[NEGATIVES] = asdict(self.negatives)
        if self.bins:
            content[BINS] = {name: rule.model_dump() for name, rule in self.bins.items()}
        return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class FeatureState:
    """The state as of the end of ``day``.

    Attributes:
        day: ``None`` before any day.
        counters: by key, in declared order.
        overall: cells of all events together, shape ``[]``.
        totals: likewise by what counters sum beside events, of those that have it.
    """

    plan: StatePlan
    day: Day | None
    counters: Mapping[Group, CounterTable]
    overall: Cells
    histories: HistoryTable
    latest: LatestTable
    catalogue: Catalogue
    counts_by_id: HistoryTable | None = None
    bags: Mapping[Group, BagTables] = field(default_factory=dict)
    totals: Mapping[str, Cells] = field(default_factory=dict)
    negatives: HistoryTable | None = None
    bins: Mapping[str, BinTable] = field(default_factory=dict)

    @classmethod
    def empty(cls, config: JobConfig) -> FeatureState:
        """The state before the first day."""
        return cls.of_plan(StatePlan.of(config))

    @classmethod
    def of_plan(cls, plan: StatePlan) -> FeatureState:
        return cls(
            plan,
            None,
            {group: empty_counters(group, half_lives) for group, half_lives in plan.groups.items()},
            Cells.absent((), plan.half_lives),
            HistoryTable.empty(plan.history),
            LatestTable.empty(plan.latest),
            Catalogue.empty(plan.roles),
            HistoryTable.empty(plan.counts_by_id) if plan.counts_by_id is not None else None,
            {key: BagTables.empty(rule) for key, rule in plan.bags.items()},
            {name: Cells.absent((), plan.half_lives, sums=True) for name in plan.summed},
            HistoryTable.empty(plan.negatives) if plan.negatives is not None else None,
            {name: BinTable.empty(rule) for name, rule in plan.bins.items()},
        )

    def apply(self, events: Events) -> FeatureState:
        """The state after a later day; this one stays as it is.

        Raises:
            ChainError: the events are not of a later day.
        """
        return self.after(Delta(events))

    def after(self, delta: Delta) -> FeatureState:
        """``apply`` for a day's events as they are stored."""
        events = delta.events
        day, label = events.day, events.label
        if self.day is not None and day <= self.day:
            raise ChainError(f"the feature state is of {self.day}, so events of {day} cannot be added to it")
        counters = {group: _counted(group, table, events) for group, table in self.counters.items()}
        overall = self.overall
        if len(label):
            overall = overall.counted(np.array(len(label)), np.array(int((label == 1).sum())), day)
        return FeatureState(
            self.plan,
            day,
            counters,
            overall,
            self.histories.apply(events.history, day),
            self.latest.apply(events.latest_keys, events.latest, day),
            self.catalogue.apply(events.catalogue_keys, events.catalogue_taken, events.catalogue, day),
            # A day that was stored before a feature was made of them has none of these.
            _applied(self.counts_by_id, events.counts_by_id, day),
            {key: tables.after(key, events) for key, tables in self.bags.items()},
            {name: _totalled(cells, events.values.get(name), day) for name, cells in self.totals.items()},
            _applied(self.negatives, events.negatives, day),
            {name: table.after(day, events.bins.get(name)) for name, table in self.bins.items()},
        )

    @property
    def limits(self) -> dict[str, NDArray[np.float32]]:
        """By feature that is a bin of a number, the limits of its bins."""
        return {name: table.limits for name, table in self.bins.items()}

    def at(self, day: Day) -> FeatureState:
        """The same state as of a later day on which nothing happened."""
        return replace(self, day=day)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The whole state as named arrays, the same on every way to it: for digests and snapshots."""
        out: dict[str, NDArray[Any]] = {}
        for group, counter in self.counters.items():
            out |= _table_arrays(f"counter/{'+'.join(group)}", counter.table.merged)
        out |= {f"overall/{name}": np.asarray(column)[None] for name, column in self.overall.columns().items()}
        for total, cells in self.totals.items():
            out |= {f"{TOTALS}/{total}/{name}": np.asarray(column)[None] for name, column in cells.columns().items()}
        if self.day is not None:
            out |= _table_arrays("history", self.histories.kept(self.day))
            for name, table in ((COUNTS_BY_ID, self.counts_by_id), (NEGATIVES, self.negatives)):
                if table is not None:
                    out |= _table_arrays(name, table.kept(self.day))
        for key, tables in self.bags.items():
            for name, layered in tables.layered.items():
                out |= _table_arrays(f"{BAGS}/{'+'.join(key)}/{name}", layered.merged)
        for name, numbers in self.bins.items():
            out |= {f"{BINS}/{name}/{each}": values for each, values in numbers.arrays().items()}
        out |= _table_arrays("latest", self.latest.table.merged)
        out |= _table_arrays("catalogue", self.catalogue.table.merged)
        return out

    @classmethod
    def from_arrays(cls, config: JobConfig | StatePlan, day: Day, arrays: Arrays) -> FeatureState:
        """The state of which ``arrays`` are.

        Raises:
            CorruptArtifact: an array is missing or of another shape than the settings say.
        """
        empty = cls.of_plan(config if isinstance(config, StatePlan) else StatePlan.of(config))
        try:
            return replace(
                empty,
                day=day,
                counters={
                    group: replace(table, table=_table(f"counter/{'+'.join(group)}", table.table.base, arrays))
                    for group, table in empty.counters.items()
                },
                overall=_cells("overall", empty.overall, arrays),
                totals={name: _cells(f"{TOTALS}/{name}", each, arrays) for name, each in empty.totals.items()},
                histories=replace(empty.histories, table=_table("history", empty.histories.table.base, arrays)),
                latest=replace(empty.latest, table=_table("latest", empty.latest.table.base, arrays)),
                catalogue=replace(empty.catalogue, table=_table("catalogue", empty.catalogue.table.base, arrays)),
                bags={
                    key: tables.of({
                        name: _table(f"{BAGS}/{'+'.join(key)}/{name}", table.base, arrays)
                        for name, table in tables.layered.items()
                    })
                    for key, tables in empty.bags.items()
                },
                counts_by_id=_read(COUNTS_BY_ID, empty.counts_by_id, arrays),
                negatives=_read(NEGATIVES, empty.negatives, arrays),
                bins={name: table.of(arrays, f"{BINS}/{name}") for name, table in empty.bins.items()},
            )
        except KeyError as error:
            raise CorruptArtifact(f"the stored feature state of {day} holds no {error}; delete its snapshot") from None


def empty_counters(group: Group, half_lives: tuple[float, ...]) -> CounterTable:
    """The counters of a key before any event."""
    features = features_of(group)
    return CounterTable.empty(len(features), half_lives, sums=len(features) < len(group))


def _counted(group: Group, table: CounterTable, events: Events) -> CounterTable:
    """A key's counters after a day; one that was stored without it (a counter declared later) has no events on it."""
    features = features_of(group)
    of_value = group[-1][1:] if len(features) < len(group) else None
    if not all(name in events.keys for name in features) or (of_value is not None and of_value not in events.values):
        return table
    values = events.values[of_value] if of_value is not None else None
    return table.apply(tuple(events.keys[name] for name in features), events.label, events.day, values)


def _totalled(cells: Cells, values: NDArray[np.float32] | None, day: Day) -> Cells:
    """What is summed of all events after a day; NaN is none."""
    there = values[~np.isnan(values)] if values is not None else ()
    if not len(there):
        return cells
    total = np.bincount(np.zeros(len(there), np.int64), np.asarray(there, np.float64))[0]
    return cells.counted(np.array(len(there)), np.array(total), day)


def _cells(name: str, like: Cells, arrays: Arrays) -> Cells:
    return Cells(half_lives=like.half_lives, **{each: arrays[f"{name}/{each}"][0] for each in like.columns()})


def _applied(table: HistoryTable | None, rows: HistoryRows | None, day: Day) -> HistoryTable | None:
    return table.apply(rows, day) if table is not None and rows is not None else table


def _read(name: str, empty: HistoryTable | None, arrays: Arrays) -> HistoryTable | None:
    return replace(empty, table=_table(name, empty.table.base, arrays)) if empty is not None else None


def _table_arrays(name: str, table: Keyed) -> dict[str, NDArray[Any]]:
    out: dict[str, NDArray[Any]] = {f"{name}/keys": table.keys}
    for column, values in table.columns.items():
        out |= put_lists(f"{name}/{column}", values) if isinstance(values, Lists) else {f"{name}/{column}": values}
    return out


def _table(name: str, like: Keyed, arrays: Arrays) -> Layered:
    keys = arrays[f"{name}/keys"]
    columns: dict[str, Column] = {}
    for column, template in like.columns.items():
        if isinstance(template, Lists):
            columns[column] = take_lists(arrays, f"{name}/{column}")
            continue
        found, shape = arrays[f"{name}/{column}"], (len(keys), *template.shape[1:])
        if found.shape != shape or found.dtype != template.dtype:
            raise CorruptArtifact(
                f"the stored feature state's {name}/{column} is {found.dtype} {list(found.shape)}, but the settings "
                f"say {template.dtype} {list(shape)}; delete its snapshot"
            )
        columns[column] = found
    return Layered.of(Keyed(keys, columns))
