"""Many rows as one question to a release: the rows as training reads a day's, and the state as far as they read it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.features.frames.frame import Array, Column, Frame, Lists
from pipeline.features.frames.from_arrow import column_of
from pipeline.features.plan.impressions import ImpressionPlan
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows, flat
from pipeline.features.state.counters import CounterTable
from pipeline.features.state.events import TIMES
from pipeline.features.state.histories import HistoryTable
from pipeline.features.state.state import FeatureState, Group
from pipeline.release.contents.keyed_parts import field_of
from pipeline.serving.frame_ids import first_ids
from pipeline.serving.known_items import KnownItems
from pipeline.serving.known_release import KnownRelease
from pipeline.serving.meta import Meta
from pipeline.serving.raw_look_up import RawIds
from pipeline.serving.small_state import Found, Source, counter_cells, keyed, over


class PosedRows(ABC):
    """What the rows of a kind of job read of a release.

    Attributes:
        known: what the release tells all rows, as far as those before asked for it.
    """

    known: KnownRelease

    @abstractmethod
    def __init__(self, meta: Meta) -> None: ...

    @classmethod
    @abstractmethod
    def needed(cls, plan: Plan) -> list[str]:
        """Columns of the rows that features and look-ups are made of."""

    @abstractmethod
    def rows(self, source: Source, table: pa.Table, day: Day) -> DayRows:
        """Checked rows as training has a day's, without labels."""

    @abstractmethod
    def state(self, source: Source, rows: DayRows, look: RawIds) -> FeatureState:
        """The feature state as far as the rows read it; of anything else it says that there was nothing."""

    def _learnt(self, source: Source, requests: Frame) -> Mapping[Group, CounterTable]:
        """Counters by what rows hold, those of owners left out."""
        counters, plan = self.known.counters, self.known.meta.plan
        counters.learn(source, {
            part.part: first_ids(plan, plan.features[part.key[0]], requests) for part in counters.of_rows
        })  # fmt: skip
        return counters.tables


class PosedLabelled(PosedRows):
    """Labelled rows: each by itself."""

    def __init__(self, meta: Meta) -> None:
        self.known = KnownRelease(meta)

    @classmethod
    def needed(cls, plan: Plan) -> list[str]:
        return _of_features(plan)

    def rows(self, source: Source, table: pa.Table, day: Day) -> DayRows:
        requests = _requests(table, self.needed(self.known.meta.plan), day)
        return _day_rows(day, requests, Frame(1, {}), np.zeros(table.num_rows, np.int64))

    def state(self, source: Source, rows: DayRows, look: RawIds) -> FeatureState:
        empty = self.known.empty
        return replace(empty, counters={**empty.counters, **self._learnt(source, rows.requests)})


class PosedImpressions(PosedRows):
    """Impressions: a user and an item each, with what the release knows of both."""

    known: KnownItems

    def __init__(self, meta: Meta) -> None:
        self.known = KnownItems(meta)
        kind: Any = meta.plan.request
        self._kind: ImpressionPlan = kind

    @classmethod
    def needed(cls, plan: Plan) -> list[str]:
        kind: Any = plan.request
        time = [kind.time] if kind.time is not None else []
        return list(dict.fromkeys([kind.settings.user, kind.settings.item, *_of_features(plan), *time]))

    def rows(self, source: Source, table: pa.Table, day: Day) -> DayRows:
        settings, meta = self._kind.settings, self.known.meta
        requests = _requests(table, self.needed(meta.plan), day)
        users, at = _distinct(requests[f"row.{settings.user}"])
        names = [field_of(user) for user in users]
        found = source.fetch({"profiles": names})["profiles"]
        profiles = Frame(len(users), meta.frame("profiles", [found.get(name) for name in names]))
        frame = Frame(requests.rows, {**requests.columns, **profiles.take(at).columns})
        keys, shown = _distinct(requests[f"row.{settings.item}"])
        return _day_rows(day, frame, self.known.items(source, keys), shown)

    def state(self, source: Source, rows: DayRows, look: RawIds) -> FeatureState:
        empty, counters = self.known.empty, self.known.counters
        owners = {name: _distinct(rows.requests[f"row.{name}"])[0] for name in self._kind.owner_columns}
        found = source.fetch({part.part: [field_of(raw) for raw in owners[name]] for part, name in counters.own})
        own = {
            part.group: _counters(self.known.meta, part, found[part.part], empty.counters[part.group], counters.codes)
            for part, _ in counters.own
        }
        shared = self._learnt(source, rows.requests)
        histories = self._histories(source, owners[self._kind.settings.user], look)
        return replace(empty, counters={**empty.counters, **shared, **own}, histories=histories)

    def _histories(self, source: Source, users: Sequence[Any], look: RawIds) -> HistoryTable:
        found = source.fetch({"histories": [field_of(user) for user in users]})["histories"]
        there = [(user, each) for user in users if (each := found.get(field_of(user))) is not None and each["days"]]
        return many_histories(self.known.meta, look, there, self.known.empty.histories)


def many_histories(
    meta: Meta, look: RawIds, found: Sequence[tuple[Any, Found]], empty: HistoryTable
) -> HistoryTable:  # fmt: skip
    """The entries of owners of one id, each with what a release has of it."""
    if not found:
        return empty
    (space,) = meta.plan.request.owner_spaces
    histories = [each for _, each in found]
    columns: dict[str, Column] = {"days": _lists([each["days"] for each in histories], np.int32)}
    spaces = meta.plan.request.history_parts
    for part in empty.rule.parts:
        lengths = [[len(entry) for entry in each[part]] for each in histories]
        values = [[value for entry in each[part] for value in entry] for each in histories]
        offsets = np.concatenate([[0], np.cumsum([len(each) for each in values])]).astype(np.int64)
        every = [value for each in values for value in each]
        codes = np.array(every, np.int64) if part == TIMES else look.codes(spaces[part], every)
        columns[f"{part}.lengths"] = _lists(lengths, np.int32)
        columns[f"{part}.values"] = Lists(offsets, codes)
    owner = (look.codes(space, [user for user, _ in found]),)
    return replace(empty, table=over(empty.table, keyed(owner, columns)))


def _counters(meta: Meta, part: Any, found: Mapping[str, Found], empty: CounterTable, codes: Any) -> CounterTable:
    if not found:
        return empty
    return replace(empty, table=over(empty.table, counter_cells(meta, part, found, codes)))


def _of_features(plan: Plan) -> list[str]:
    return list(dict.fromkeys(column for planned in plan.of_frame("row") for _, column in planned.columns))


def _requests(table: pa.Table, names: Sequence[str], day: Day) -> Frame:
    columns: dict[str, Column] = {f"row.{name}": column_of(table, name) for name in names}
    columns["calendar.weekday"] = np.full(table.num_rows, day.weekday, np.int64)
    return Frame(table.num_rows, columns)


def _day_rows(day: Day, requests: Frame, items: Frame, shown: NDArray[np.int64]) -> DayRows:
    rows = requests.rows
    return DayRows(
        day=day, events=requests, label=np.zeros(rows, np.int8), items=items, event_item=shown, requests=requests,
        weight=np.ones(rows, np.float32),
    )  # fmt: skip


def _distinct(column: Column) -> tuple[list[Any], NDArray[np.int64]]:
    """The distinct raw ids of a column, and which of them each row has."""
    values: Array = np.asarray(flat(column))
    distinct, at = np.unique(values, return_inverse=True)
    return distinct.tolist(), at.astype(np.int64)


def _lists(rows: Sequence[Sequence[int]], dtype: Any) -> Lists:
    return Lists.of([list(each) for each in rows], dtype)
