"""A day's arrays out of its rows, the id maps, and the feature state as of the end of the day before.

The step from columns to raw inputs is ``columns.raw_inputs``, which serving shares; here ids become indices, and what is
kept in indices (histories, counters, candidates) is put beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import PADDING, UNKNOWN, Columns, DayArrays, Feature, Kind, Layout, Side
from pipeline.config.features import Counter
from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.features.candidates import Pool, request_chapters
from pipeline.features.columns import as_raw, bag_ids, bag_width, dense_values, last_values, raw_inputs
from pipeline.features.counters import Cells, counter_value, transformed
from pipeline.features.derived import style_counts
from pipeline.features.frame import Array, Frame, Lists
from pipeline.features.from_tables import ranks
from pipeline.features.histories import Entries
from pipeline.features.mapping import Maps, first_index, frame_index, owner_keys, role_index, study_owner
from pipeline.features.packing import pack
from pipeline.features.plan import Plan, PlannedFeature
from pipeline.features.rows import DayRows, flat
from pipeline.features.state import FeatureState
from pipeline.features.windows import fill, window_positions

LastYear = Mapping[str, NDArray[np.int32]]
"""Last year's windows by part: int32 ``[requests, length, values]``."""


@dataclass(frozen=True)
class Built:
    """A day's arrays with what names their rows.

    Attributes:
        key_rank: int32 ``[items]`` place of each item's raw key among the day's, which breaks ties of score.
        keys: raw ids of requests by column (``user``, owner columns, ``chapters`` as text) and of items (``item``).
        groups: bool ``[requests]`` by name: users and owners without a history, all others.
        empty_days: int16 ``[requests]`` days of the window without history.
        counts: what was left out, and how much.
    """

    arrays: DayArrays
    key_rank: NDArray[np.int32]
    keys: Mapping[str, Array]
    groups: Mapping[str, NDArray[np.bool_]]
    empty_days: NDArray[np.int16]
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Items:
    """The day's candidates: which each request has, and what they are.

    ``roles`` of a ranking are index lists of the items; the frame of impressions holds their columns.
    """

    offsets: NDArray[np.int64]
    pair_item: NDArray[np.int32]
    key: NDArray[np.int32]
    raw: Array
    label: NDArray[np.int8]
    taken: NDArray[np.int32]
    roles: Mapping[str, Lists] = field(default_factory=dict)
    frame: Frame = field(default_factory=lambda: Frame(0, {}))


def build(
    plan: Plan, rows: DayRows, maps: Maps, state: FeatureState, *, pool: Pool | None = None, last_year: LastYear | None = None
) -> Built:
    """The arrays of ``rows``, as of the end of the day before theirs.

    Args:
        state: as of the end of the day before; a later one is an error.
        pool: candidates of a ranking.
        last_year: windows of last year's history for each request, where features ask for them.

    Raises:
        DataError: the state is of the rows' own day or later.
    """
    if state.day is not None and state.day >= rows.day:
        raise DataError(f"features of {rows.day} asked for with the state of {state.day}: only earlier days may be used")
    items = _ranking_items(plan, rows, maps, pool) if pool is not None else _impression_items(plan, rows, maps)
    histories = _Histories(plan, rows, maps, state, last_year or {})
    values: dict[str, Array] = {}
    values |= _framed(plan, Side.REQUEST, rows.requests, maps, rows.day)
    values |= histories.values()
    values |= _item_values(plan, items, maps, rows.day)
    values |= _counter_values(plan, rows, items, maps, state)
    values |= _pair_values(plan, rows, items, maps, state)
    layout = Layout.of(plan.schema, {name: each.shape[-1] for name, each in values.items() if _is_wide(plan, name)})
    requests, number, pairs = rows.requests.rows, len(items.key), len(items.pair_item)
    arrays = DayArrays(
        layout=layout,
        request_ids=_matrix(layout.request_ids, values, requests, np.int32),
        request_dense=_matrix(layout.request_dense, values, requests, np.float32),
        item_ids=_matrix(layout.item_ids, values, number, np.int32),
        item_dense=_matrix(layout.item_dense, values, number, np.float32),
        offsets=items.offsets, pair_item=items.pair_item,
        pair_dense=_matrix(layout.pair_dense, values, pairs, np.float32),
        label=items.label, weight=rows.weight, user=_user_index(plan, rows, maps), taken=items.taken,
    )  # fmt: skip
    empty = histories.empty_days()
    sizes = np.diff(items.offsets)
    counts = {**rows.counts, "pairs": pairs, "items": number}
    if plan.ranking:
        counts["no_candidates"] = int((sizes == 0).sum())
    return Built(
        arrays, ranks(items.raw).astype(np.int32), _keys(plan, rows, items), histories.groups(empty), empty, counts
    )  # fmt: skip


def _matrix(places: Mapping[str, Columns], values: Mapping[str, Array], rows: int, dtype: Any) -> NDArray[Any]:
    matrix = np.empty((rows, Layout.width(places)), dtype)
    for name, place in places.items():
        matrix[:, place.start : place.stop] = values[name].reshape(rows, place.stop - place.start)
    return matrix


def _is_wide(plan: Plan, name: str) -> bool:
    return plan.features[name].feature.kind in (Kind.BAG, Kind.BAG_SEQUENCE)


def _user_index(plan: Plan, rows: DayRows, maps: Maps) -> NDArray[np.int32]:
    config = plan.config
    column = config.ranking.user if config.ranking is not None else plan.owner_columns[0]
    raw = as_raw(flat(rows.requests[f"row.{column}"]), plan.space_kind(plan.user_space), f"row.{column}")
    return maps[plan.user_space].lookup(raw)


def bag_widths(plan: Plan, features: Sequence[PlannedFeature], frame: Frame) -> dict[str, int]:
    """The width of each bag of a frame: the power of two that its longest row needs."""
    widths = {}
    for planned in features:
        if planned.feature.kind is Kind.BAG:
            lengths = bag_ids(planned, frame, plan.space_kind(planned.feature.space or "")).lengths
            widths[planned.name] = bag_width(int(lengths.max(initial=0)), planned.feature.values)
    return widths


def indexed(plan: Plan, feature: Feature, raw: Array, maps: Maps) -> NDArray[np.int32]:
    """Raw inputs in indices: a missing single value is unknown, a cell without a value is padding."""
    return maps[feature.space or ""].lookup(raw)


def _framed(plan: Plan, side: Side, frame: Frame, maps: Maps, day: Day) -> dict[str, Array]:
    """Features made of a frame's own columns, in indices."""
    chosen = [
        f for f in plan.features.values() if f.feature.side is side and f.frame in ("row", "user", "calendar", "item")
    ]
    kinds = {space: plan.space_kind(space) for space in plan.spaces}
    raw = raw_inputs(chosen, frame, kinds, bag_widths(plan, chosen, frame), day)
    return {
        f.name: indexed(plan, f.feature, raw[f.name], maps) if f.feature.has_ids else raw[f.name] for f in chosen
    }


def _item_values(plan: Plan, items: _Items, maps: Maps, day: Day) -> dict[str, Array]:
    if not plan.ranking:
        return _framed(plan, Side.ITEM, items.frame, maps, day)
    values: dict[str, Array] = {}
    for planned in plan.of_frame("item"):
        if planned.column == "key":
            values[planned.name] = items.key
            continue
        lists = items.roles[planned.column]
        if planned.feature.kind is Kind.CATEGORICAL:
            values[planned.name] = first_index(lists)
        elif planned.feature.kind is Kind.BAG:
            width = bag_width(int(lists.lengths.max(initial=0)), planned.feature.values)
            values[planned.name] = lists.padded(width, PADDING)
        else:
            values[planned.name] = last_values(lists, planned.feature.steps).padded(planned.feature.steps, PADDING)
    return values


def _ranking_items(plan: Plan, rows: DayRows, maps: Maps, pool: Pool) -> _Items:
    ranking, judged = plan.config.ranking, rows.judged
    assert ranking is not None and judged is not None
    chapters = rows.requests[f"row.{ranking.package.chapters}"]
    assert isinstance(chapters, Lists)
    found = pool.find(request_chapters(plan, chapters, maps), ranking.candidates.limit)
    packages, pair_item = np.unique(found.values, return_inverse=True)
    key = pool.keys[packages]
    label = _labels(judged.request, role_index(plan, "key", _ones(judged.key), maps).values, judged.label,
                    judged.others, found, key[pair_item])  # fmt: skip
    taken = np.bincount(judged.request[judged.label == 1], minlength=rows.requests.rows).astype(np.int32)
    return _Items(
        found.offsets, pair_item.astype(np.int32), key, maps[plan.item_space].raw(key), label, taken,
        roles={role: lists.take(packages) for role, lists in pool.roles.items()},
    )  # fmt: skip


def _ones(values: Array) -> Lists:
    return Lists(np.arange(len(values) + 1, dtype=np.int64), values)


def _labels(
    request: NDArray[np.int64], key: NDArray[np.int32], label: NDArray[np.int8], others: int, found: Lists,
    found_key: NDArray[np.int32],
) -> NDArray[np.int8]:  # fmt: skip
    """The label of each (request, candidate) pair: that of the judged pair, else ``others``."""
    pair = np.repeat(np.arange(len(found)), found.lengths) << 31 | found_key.astype(np.int64)
    known = request << 31 | key.astype(np.int64)
    out = np.full(len(pair), others, np.int8)
    if not len(known):
        return out
    order = np.argsort(known, kind="stable")
    at = np.minimum(np.searchsorted(known[order], pair), len(known) - 1)
    hit = (known[order][at] == pair) & (found_key > UNKNOWN)
    out[hit] = label[order][at[hit]]
    return out


def _impression_items(plan: Plan, rows: DayRows, maps: Maps) -> _Items:
    impressions = plan.config.impressions
    assert impressions is not None
    raw = as_raw(flat(rows.items[f"item.{impressions.item}"]), plan.space_kind(plan.item_space), "items")
    count = rows.requests.rows
    return _Items(
        np.arange(count + 1, dtype=np.int64), rows.event_item.astype(np.int32), maps[plan.item_space].lookup(raw), raw,
        rows.label, (rows.label == 1).astype(np.int32), frame=rows.items,
    )  # fmt: skip


def _keys(plan: Plan, rows: DayRows, items: _Items) -> dict[str, Array]:
    """Raw ids that name the rows, as they are."""
    names = list(plan.owner_columns)
    if plan.config.ranking is not None:
        names = list(dict.fromkeys([plan.config.ranking.user, *names]))
    keys: dict[str, Array] = {f"request.{name}": flat(rows.requests[f"row.{name}"]) for name in names}
    if plan.config.ranking is not None:
        chapters = rows.requests[f"row.{plan.config.ranking.package.chapters}"]
        assert isinstance(chapters, Lists)
        keys |= {"request.chapters": chapters.values, "request.chapters.offsets": chapters.offsets}
    return keys | {"item.key": items.raw}


class _Histories:
    """The windows of a day's requests, cut from the state."""

    def __init__(self, plan: Plan, rows: DayRows, maps: Maps, state: FeatureState, last_year: LastYear) -> None:
        self._plan, self._rows, self._last_year = plan, rows, last_year
        self._history = plan.config.history
        self._entries: Entries | None = None
        if plan.of_frame("history", "last_year"):
            self._entries = state.histories.entries(owner_keys(plan, rows.requests, maps))

    def _positions(self, length: int, lead: int) -> NDArray[np.int64]:
        assert self._entries is not None
        entries, mode = self._entries, self._history.days if self._plan.ranking else "active"
        return window_positions(
            entries.offsets, entries.days, entries.rows, self._rows.day, length=length, lead=lead, mode=mode
        )

    def values(self) -> dict[str, Array]:
        values: dict[str, Array] = {}
        if self._entries is None:
            return values
        for planned in self._plan.of_frame("history"):
            feature = planned.feature
            if not feature.has_ids:
                windows = fill(
                    self._entries.parts["styles"], self._positions(self._history.length, 0), self._history.values, PADDING
                )
                values[planned.name] = style_counts(windows, feature.size)
                continue
            positions = self._positions(feature.steps, feature.lead)
            lists = self._entries.parts[planned.column]
            if feature.kind is Kind.SEQUENCE:
                values[planned.name] = fill(lists, positions, 1, PADDING)[..., 0]
            else:
                longest = int(lists.lengths.max(initial=0))
                values[planned.name] = fill(lists, positions, bag_width(longest, feature.values), PADDING)
        for planned in self._plan.of_frame("last_year"):
            values[planned.name] = _trimmed(self._last_year[planned.column], planned.feature.values)
        self._widen(values)
        return values

    def _widen(self, values: dict[str, Array]) -> None:
        """A history and its stand-in get one width, so that one can take the other's place."""
        for planned in self._plan.of_frame("history"):
            other = planned.feature.stand_in
            if other is not None and planned.name in values and other in values:
                width = max(values[planned.name].shape[-1], values[other].shape[-1])
                values[planned.name] = _padded(values[planned.name], width)
                values[other] = _padded(values[other], width)

    def empty_days(self) -> NDArray[np.int16]:
        """Days of each window without history; zeros where the job keeps none."""
        if self._entries is None or not self._plan.ranking:
            return np.zeros(self._rows.requests.rows, np.int16)
        return (self._positions(self._history.length, 0) < 0).sum(axis=1).astype(np.int16)

    def groups(self, empty: NDArray[np.int16]) -> dict[str, NDArray[np.bool_]]:
        """Who has no history at all: users who registered within the window or later, and the others of them."""
        ranking = self._plan.config.ranking
        if ranking is None or self._entries is None:
            return {}
        none = empty == self._history.length
        if ranking.profile is None or ranking.profile.register_day is None:
            return {"no_history": none, "known": ~none}
        registered = flat(self._rows.requests[f"user.{ranking.profile.register_day}"]).astype("datetime64[D]")
        since = np.datetime64(self._rows.day.plus(-self._history.length).date)
        new = none & (registered >= since)
        return {"new_user": new, "new_owner": none & ~new, "known": ~none}


def _trimmed(windows: Array, values: int) -> Array:
    """Windows as wide as their fullest day needs."""
    used = int((windows != PADDING).any(axis=(0, 1)).nonzero()[0].max(initial=-1)) + 1 if windows.size else 0
    return _padded(windows, bag_width(used, values))


def _padded(windows: Array, width: int) -> Array:
    if windows.shape[-1] >= width:
        return windows[..., :width]
    out = np.full((*windows.shape[:-1], width), PADDING, windows.dtype)
    out[..., : windows.shape[-1]] = windows
    return out


class _Keyed:
    """Indices of the features that counters are keyed by, each looked up once on its own side."""

    def __init__(self, plan: Plan, rows: DayRows, items: _Items, maps: Maps) -> None:
        self._plan, self._rows, self._items, self._maps = plan, rows, items, maps
        self._found: dict[str, NDArray[np.int32]] = {}
        self._request = np.repeat(np.arange(rows.requests.rows), np.diff(items.offsets))

    def on_item_side(self, name: str) -> bool:
        return self._plan.features[name].feature.side is Side.ITEM

    def own(self, name: str) -> NDArray[np.int32]:
        """The index on the feature's own side: one a request or one an item."""
        if name not in self._found:
            planned = self._plan.features[name]
            if not self.on_item_side(name):
                self._found[name] = frame_index(self._plan, planned, self._rows.requests, self._maps)
            elif not self._plan.ranking:
                self._found[name] = frame_index(self._plan, planned, self._items.frame, self._maps)
            elif planned.column == "key":
                self._found[name] = self._items.key
            else:
                self._found[name] = first_index(self._items.roles[planned.column])
        return self._found[name]

    def spread(self, name: str) -> NDArray[np.int32]:
        """The index at every pair."""
        return self.own(name)[self._items.pair_item if self.on_item_side(name) else self._request]

    def of_pairs(self, values: Array, *, item_side: bool) -> Array:
        return values[self._items.pair_item if item_side else self._request]


def _counter_values(plan: Plan, rows: DayRows, items: _Items, maps: Maps, state: FeatureState) -> dict[str, Array]:
    """Every declared counter for the day, from the state as of the end of the day before."""
    keyed = _Keyed(plan, rows, items, maps)
    cells: dict[tuple[tuple[str, ...], bool], Cells] = {}
    values: dict[str, Array] = {}
    for name, counter in plan.counters().items():
        pair = plan.features[name].feature.side is Side.PAIR
        if counter.measure == "rank":
            values[name] = _places(counter, items.offsets)
            continue
        sides = {keyed.on_item_side(key) for key in counter.key}
        mixed = len(sides) > 1
        if (counter.key, mixed) not in cells:
            indices = [keyed.spread(key) if mixed else keyed.own(key) for key in counter.key]
            table = state.counters[counter.key]
            cells[counter.key, mixed] = table.lookup(pack(*indices, names=counter.key))
        value = counter_value(counter, cells[counter.key, mixed], state.overall, rows.day)
        values[name] = keyed.of_pairs(value, item_side=sides == {True}) if pair and not mixed else value
    return values


def _places(counter: Counter, offsets: NDArray[np.int64]) -> NDArray[np.float32]:
    """The place of each candidate in its list, from 0."""
    places = np.arange(offsets[-1]) - np.repeat(offsets[:-1], np.diff(offsets))
    return transformed(counter, places.astype(np.float64))


def _pair_values(plan: Plan, rows: DayRows, items: _Items, maps: Maps, state: FeatureState) -> dict[str, Array]:
    values: dict[str, Array] = {}
    request = np.repeat(np.arange(rows.requests.rows), np.diff(items.offsets))
    for planned in plan.features.values():
        if planned.feature.side is not Side.PAIR or planned.settings.counter is not None:
            continue
        if planned.frame == "study":
            owner = study_owner(plan, rows.requests, maps)[request]
            values[planned.name] = state.latest.means(owner, items.roles["sections"].take(items.pair_item))
        else:
            values[planned.name] = dense_values(planned, rows.requests, rows.day)[request]
    return values
