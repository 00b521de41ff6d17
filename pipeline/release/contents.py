"""What changes daily, as of the end of a day: candidates, histories, profiles, counters, each a part of the release.

Derived from the feature state, the id maps and the day's validated tables, all in raw ids. Values are compact JSON:

* ``meta``: settings, columns and other small things, one field each;
* ``ids.<space>``: raw id → index, of the ids that the released model knows;
* ``counters.<feature>+<feature>``: raw id of the first feature → columns over the other ones and the counted values;
* ``histories``: owner → the days and lists of its entries;
* ``profiles``, ``contexts``, ``items``: user, owner, item → its columns (order and kinds in ``meta``);
* ``candidates``: chapter → keys and places of its packages, or ``all`` → items; ``packages``: key → its attributes;
* ``base_chapters``: chapter → base chapter; ``study``: owner → sections and their values;
* ``last_year``, ``last_year_own``: group → windows of last year's histories for the day after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import validated
from pipeline.config import JobConfig
from pipeline.context import JobContext
from pipeline.days import Day
from pipeline.errors import ChainError
from pipeline.features.counters import CounterTable
from pipeline.features.day_tables import DayTables
from pipeline.features.frame import Array, Column, Frame, Lists
from pipeline.features.packing import unpack
from pipeline.features.plan import Plan
from pipeline.features.state import FeatureState, StatePlan
from pipeline.features.state_store import StateStore
from pipeline.features.states import states_of
from pipeline.idmap import IdMap
from pipeline.ids import MISSING_INT, MISSING_STR
from pipeline.release.columns_json import kind_of, plain
from pipeline.release.parts import Part, encoded

ENCODING = 1
"""Raised when the stored form changes: the same contents are then another release."""


class NextTables(DayTables):
    """A day's validated tables, undated ones as the day after may know them."""

    def __call__(self, name: str) -> pa.Table:
        if name not in self._tables:
            self._tables[name] = validated.read_next(self.artifact, name)
        return self._tables[name]


class AsOf:
    """Everything that a release's contents are derived from, as of the end of a day.

    Attributes:
        tables: the day's, as the next day may know them.
    """

    def __init__(self, context: JobContext, config: JobConfig, day: Day) -> None:
        self.context, self.config, self.day = context, config, day
        self.plan = Plan(config)
        same = StatePlan.of(config) == StatePlan.of(context.config)
        self.states = states_of(context) if same else StateStore(context.store, config)
        self.state: FeatureState = self.states.as_of(day)
        # Maps only grow: what they hold beyond the day is not looked at, as nothing of the day refers to it.
        self.maps: Mapping[str, IdMap] = {
            space: context.idmaps.read(space, kind) for space, kind in self.plan.spaces.items()
        }
        found = NextTables.on(context, day)
        if found is None:
            raise ChainError(
                f"{day}: its validated tables are gone, so its release cannot be derived; run "
                f"`python -m pipeline stage validate --job {context.job} --day {day} --reprocess`"
            )
        self.tables = found

    def raw(self, space: str, index: NDArray[Any]) -> Array:
        return self.maps[space].raw(index)

    def space_of(self, feature: str) -> str:
        space = self.plan.features[feature].feature.space
        assert space is not None
        return space


def contents(context: JobContext, config: JobConfig, day: Day, sizes: Mapping[str, int]) -> list[Part]:
    """Every part of the release of ``day``.

    Args:
        config: the settings in force when the release was built.
        sizes: by id space, how many indices the released model knows.
    """
    from pipeline.release.contents_impressions import impression_parts
    from pipeline.release.contents_ranking import ranking_parts

    here = AsOf(context, config, day)
    meta: dict[str, Any] = {
        "config": config.model_dump(mode="json", by_alias=True), "day": str(day), "frames": {},
        "overall": {name: np.asarray(column).tolist() for name, column in here.state.overall.columns().items()},
    }  # fmt: skip
    parts = [*_id_maps(here, sizes), *_counters(here, meta), _histories(here)]
    parts += ranking_parts(here, meta) if here.plan.ranking else impression_parts(here, meta)
    return [*parts, Part("meta", {name: encoded(value) for name, value in meta.items()})]


def field_of(*raw: Any) -> str:
    """The field of one raw id, or of several that together are a key."""
    return str(raw[0]) if len(raw) == 1 else encoded(list(raw)).decode()


def framed(name: str, keys: Array, columns: Mapping[str, Column], meta: dict[str, Any]) -> Part:
    """A part with a row of columns a key; the columns' order and kinds go into ``meta``."""
    meta["frames"][name] = [[column, kind_of(values)] for column, values in columns.items()]
    rows = zip(*(plain(values) for values in columns.values()), strict=True) if columns else ([] for _ in keys)
    return Part(name, {field_of(key): encoded(row) for key, row in zip(keys.tolist(), rows, strict=True)})


def grouped(name: str, keys: Sequence[Any], offsets: Iterable[int], columns: Mapping[str, list[Any]]) -> Part:
    """A part with, for each key, its rows ``offsets[i]:offsets[i + 1]`` of the columns."""
    ends = list(offsets)
    return Part(name, {
        field_of(key): encoded({column: values[start:end] for column, values in columns.items()})
        for key, (start, end) in zip(keys, pairwise(ends), strict=True)
    })  # fmt: skip


def distinct(keys: Array) -> Array:
    """The keys less missing ones, each once, in order of first appearance."""
    import pandas as pd

    missing: Any = MISSING_INT if keys.dtype.kind == "i" else MISSING_STR
    found: Array = pd.unique(keys)
    return found[np.asarray(found != missing, bool)]


def profiles(here: AsOf, table: str, key: str, names: Sequence[str], prefix: str, keys: Array | None = None) -> Frame:
    """The columns of an undated table for each of its keys, or for ``keys``; the key itself as ``<prefix>.<key>``."""
    from pipeline.features.from_tables import column_of
    from pipeline.features.profiles import Profiles
    from pipeline.features.rows import flat

    rows = here.tables(table)
    if keys is None:
        keys = distinct(flat(column_of(rows, key)))
    columns = Profiles(rows, key, names).join(keys, prefix) if names else {}
    return Frame(len(keys), {**columns, f"{prefix}.{key}": keys})


def _id_maps(here: AsOf, sizes: Mapping[str, int]) -> Iterable[Part]:
    for space, id_map in here.maps.items():
        known = id_map.ids[: max(sizes.get(space, 2) - 2, 0)].tolist()
        yield Part(f"ids.{space}", {str(raw): b"%d" % index for index, raw in enumerate(known, 2)})


def _counters(here: AsOf, meta: dict[str, Any]) -> Iterable[Part]:
    meta["counters"] = {}
    for group, table in here.state.counters.items():
        name = f"counters.{'+'.join(group)}"
        part, plain_counts = _counter(here, name, group, table)
        meta["counters"][name] = {"key": list(group), "half_lives": list(table.half_lives), "counts_only": plain_counts}
        yield part


def _counter(here: AsOf, name: str, group: Sequence[str], table: CounterTable) -> tuple[Part, bool]:
    """The cells of one key; where every event is positive, the columns of positive ones are left out."""
    merged = table.table.merged
    indices = unpack(merged.keys, table.arity)
    raws = [here.raw(here.space_of(feature), index) for feature, index in zip(group, indices, strict=True)]
    cells = {column: values for column, values in merged.columns.items() if not isinstance(values, Lists)}
    pairs = (("count", "positive"), ("last_day", "last_positive"), ("decayed", "decayed_positive"))
    counts_only = all(np.array_equal(cells[every], cells[positive]) for every, positive in pairs)
    wanted = [column for pair in pairs for column in (pair[:1] if counts_only else pair)]
    if not table.half_lives:
        wanted = [column for column in wanted if not column.startswith("decayed")]
    columns = {feature: raw.tolist() for feature, raw in zip(group[1:], raws[1:], strict=True)}
    columns |= {column: np.asarray(cells[column]).tolist() for column in wanted}
    first = indices[0]  # ascending, as packed keys are
    starts = np.flatnonzero(np.concatenate([[True], first[1:] != first[:-1]])) if len(first) else first
    return grouped(name, raws[0][starts].tolist(), [*starts.tolist(), len(first)], columns), counts_only


def _histories(here: AsOf) -> Part:
    table = here.state.histories
    kept = table.kept(here.day)
    indices = unpack(kept.keys, table.rule.arity)
    owners = [here.raw(space, index).tolist() for space, index in zip(here.plan.owner_spaces, indices, strict=True)]
    days = kept.columns["days"]
    assert isinstance(days, Lists)
    columns: dict[str, list[Any]] = {"days": days.values.tolist()}
    for part, space in here.plan.history_parts.items():
        lengths, values = kept.columns[f"{part}.lengths"], kept.columns[f"{part}.values"]
        assert isinstance(lengths, Lists)
        assert isinstance(values, Lists)
        ends = np.concatenate([[0], np.cumsum(lengths.values)]).astype(np.int64)
        columns[part] = plain(Lists(ends, here.raw(space, values.values)))
    return grouped_by_owner("histories", owners, days.offsets, columns)


def grouped_by_owner(
    name: str, owners: Sequence[list[Any]], offsets: NDArray[np.int64], columns: Mapping[str, list[Any]]
) -> Part:
    """As ``grouped``, for keys of several raw ids, one list an id."""
    ends = offsets.tolist()
    return Part(name, {
        field_of(*owner): encoded({column: values[start:end] for column, values in columns.items()})
        for owner, (start, end) in zip(zip(*owners, strict=True), pairwise(ends), strict=True)
    })  # fmt: skip
