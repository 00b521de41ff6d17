"""A day's arrays out of its rows, the id maps, and the feature state as of the end of the day before.

The step from columns to raw inputs is ``columns.raw_inputs``, which serving shares; here ids become indices, and what
is kept in indices (histories, counters, candidates) is put beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import PADDING, Columns, DayArrays, Kind, Layout, Side
from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.features.arrays.composed_ids import misfits
from pipeline.features.arrays.indices import Maps, first_index, role_lists
from pipeline.features.arrays.items import DayItems, impression_items, ranking_items
from pipeline.features.arrays.paired_lists import UNPAIRED, unpaired_rows
from pipeline.features.arrays.pairs import counter_values, pair_values
from pipeline.features.arrays.pool import Pool
from pipeline.features.arrays.raw_values import as_raw, bag_ids, bag_width, last_values, raw_inputs
from pipeline.features.arrays.request_histories import Histories, LastYear
from pipeline.features.frames.frame import Array, Frame, Lists
from pipeline.features.frames.from_arrow import lists_of, ranks
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows, flat
from pipeline.features.state.state import FeatureState


@dataclass(frozen=True)
class Built:
    """A day's arrays with what names their rows.

    Attributes:
        key_rank: int32 ``[items]`` place of each item's raw key among the day's, which breaks ties of score.
        keys: raw ids that name the rows: ``request.<column>`` of users and owners, ``request.chapters`` with
            ``request.chapters.offsets``, and ``item.key``.
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


def build(
    plan: Plan, rows: DayRows, maps: Maps, state: FeatureState,
    *, pool: Pool | None = None, last_year: LastYear | None = None,
) -> Built:  # fmt: skip
    """The arrays of ``rows``, as of the end of the day before theirs.

    Args:
        state: as of the end of the day before; a later one is an error.
        pool: candidates of a ranking.
        last_year: windows of last year's history for each request, where features ask for them.

    Raises:
        DataError: the state is of the rows' own day or later.
    """
    if state.day is not None and state.day >= rows.day:
        raise DataError(f"features of {rows.day} with the state of {state.day}: only earlier days may be used")
    items = ranking_items(plan, rows, maps, pool) if pool is not None else impression_items(plan, rows, maps)
    histories = Histories(plan, rows, maps, state, last_year or {})
    values: dict[str, Array] = {}
    values |= _framed(plan, Side.REQUEST, rows.requests, maps, rows.day)
    values |= histories.values()
    values |= _item_values(plan, items, maps, rows.day)
    values |= counter_values(plan, rows, items, maps, state)
    values |= pair_values(plan, rows, items, maps, state)
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
        label=items.label, weight=rows.weight, user=_user_index(plan, rows, maps),
    )  # fmt: skip
    empty = histories.empty_days()
    sizes = np.diff(items.offsets)
    counts = {**rows.counts, "pairs": pairs, "items": number}
    counts |= _misfits(plan, rows, items, maps)
    counts |= {f"{name}_without_column": number for name, number in histories.beyond.items()}
    unpaired = unpaired_rows(plan.features.values(), rows.requests)
    counts |= {f"{UNPAIRED}{group}": number for group, number in unpaired.items()}
    if plan.ranking:
        counts["no_candidates"] = int((sizes == 0).sum())
    return Built(
        arrays, ranks(items.raw).astype(np.int32), _keys(plan, rows, items), histories.groups(empty), empty, counts
    )  # fmt: skip


def _misfits(plan: Plan, rows: DayRows, items: DayItems, maps: Maps) -> dict[str, int]:
    """By feature that takes digits of ids, how many of the day's ids are composed otherwise than its rule says."""
    found: dict[str, int] = {}
    for planned in plan.of_frame("row", "user", "item"):
        rule = planned.settings.digits
        if rule is None:
            continue
        if plan.ranking and planned.frame == "item":
            raw = maps[plan.roles[planned.column]].raw(items.roles[planned.column].values)
        else:
            frame = items.frame if planned.frame == "item" else rows.requests
            raw = np.concatenate([lists_of(frame[key]).values for key in planned.keys])
        found[f"{planned.name}_misfits"] = misfits(as_raw(raw, "int", f"feature '{planned.name}'"), rule)
    return found


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


def _framed(plan: Plan, side: Side, frame: Frame, maps: Maps, day: Day) -> dict[str, Array]:
    """Features made of a frame's own columns, in indices."""
    chosen = [
        f for f in plan.features.values() if f.feature.side is side and f.frame in ("row", "user", "calendar", "item")
    ]
    kinds = {space: plan.space_kind(space) for space in plan.spaces}
    raw = raw_inputs(chosen, frame, kinds, bag_widths(plan, chosen, frame), day)
    # A missing single value is unknown, a cell without a value is padding: their raw values say which.
    return {f.name: maps[f.feature.space].lookup(raw[f.name]) if f.feature.space else raw[f.name] for f in chosen}


def _item_values(plan: Plan, items: DayItems, maps: Maps, day: Day) -> dict[str, Array]:
    if not plan.ranking:
        return _framed(plan, Side.ITEM, items.frame, maps, day)
    values: dict[str, Array] = {}
    for planned in plan.of_frame("item"):
        if planned.column == "key":
            values[planned.name] = items.key
            continue
        lists = role_lists(plan, planned, items.roles, maps)
        if planned.feature.kind is Kind.CATEGORICAL:
            values[planned.name] = first_index(lists)
        elif planned.feature.kind is Kind.BAG:
            width = bag_width(int(lists.lengths.max(initial=0)), planned.feature.values)
            values[planned.name] = lists.padded(width, PADDING)
        else:
            values[planned.name] = last_values(lists, planned.feature.steps).padded(planned.feature.steps, PADDING)
    return values


def _keys(plan: Plan, rows: DayRows, items: DayItems) -> dict[str, Array]:
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
