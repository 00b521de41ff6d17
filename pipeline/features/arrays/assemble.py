"""A day's arrays out of its rows and the feature state as of the end of the day before.

``assemble`` is shared with serving, which asks a model in raw ids; ``build`` puts what it gives, in indices, into the
matrices that models are trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import Columns, DayArrays, Kind, Layout, Side
from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.features.arrays.composed_ids import misfits
from pipeline.features.arrays.feature_codes import made_of_roles
from pipeline.features.arrays.items import DayItems, impression_items, ranking_items
from pipeline.features.arrays.look_up import Indices, LookUp, Maps
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


@dataclass(frozen=True)
class Assembled:
    """What the features of some requests say, in whatever stands for ids: all that training and serving share.

    Attributes:
        values: by feature, ``[requests, …]``, ``[items, …]`` or ``[pairs, …]`` by its side.
        items: the candidates of the requests.
        histories: what the requests' windows were cut from.
    """

    values: Mapping[str, Array]
    items: DayItems
    histories: Histories


def assemble(
    plan: Plan, rows: DayRows, look: LookUp, state: FeatureState,
    *, pool: Pool | None = None, last_year: LastYear | None = None,
) -> Assembled:  # fmt: skip
    """Every feature of ``rows``, as of the end of the day before theirs.

    Args:
        look: what stands for ids.
        state: as of the end of the day before; a later one is an error.
        pool: candidates of a ranking.
        last_year: windows of last year's history for each request, where features ask for them.

    Raises:
        DataError: the state is of the rows' own day or later.
    """
    if state.day is not None and state.day >= rows.day:
        raise DataError(f"features of {rows.day} with the state of {state.day}: only earlier days may be used")
    items = ranking_items(plan, rows, look, pool) if pool is not None else impression_items(plan, rows)
    histories = Histories(plan, rows, look, state, last_year or {})
    values: dict[str, Array] = {}
    values |= _framed(plan, Side.REQUEST, rows.requests, look, rows.day)
    values |= histories.values()
    values |= _item_values(plan, items, look, rows.day)
    values |= counter_values(plan, rows, items, look, state)
    values |= pair_values(plan, rows, items, state)
    return Assembled(values, items, histories)


def build(
    plan: Plan, rows: DayRows, maps: Maps, state: FeatureState,
    *, pool: Pool | None = None, last_year: LastYear | None = None,
) -> Built:  # fmt: skip
    """The arrays of ``rows`` in indices; see ``assemble``."""
    look = Indices(maps)
    found = assemble(plan, rows, look, state, pool=pool, last_year=last_year)
    values, items = found.values, found.items
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
    empty = found.histories.empty_days()
    return Built(
        arrays, ranks(items.raw).astype(np.int32), _keys(plan, rows, items), found.histories.groups(empty), empty,
        {**rows.counts, **_counts(plan, rows, found, look)},
    )  # fmt: skip


def _counts(plan: Plan, rows: DayRows, found: Assembled, look: LookUp) -> dict[str, int]:
    """How much there is, and what was left out."""
    items = found.items
    counts = {"pairs": len(items.pair_item), "items": len(items.key), **_misfits(plan, rows, items, look)}
    counts |= {f"{name}_without_column": number for name, number in found.histories.beyond.items()}
    unpaired = unpaired_rows(plan.features.values(), rows.requests)
    counts |= {f"{UNPAIRED}{group}": number for group, number in unpaired.items()}
    if plan.ranking:
        counts["no_candidates"] = int((np.diff(items.offsets) == 0).sum())
    return counts


def _misfits(plan: Plan, rows: DayRows, items: DayItems, look: LookUp) -> dict[str, int]:
    """By feature that takes digits of ids, how many of the day's ids are composed otherwise than its rule says."""
    found: dict[str, int] = {}
    for planned in plan.of_frame("row", "user", "item"):
        rule = planned.settings.digits
        if rule is None:
            continue
        if plan.ranking and planned.frame == "item":
            space = plan.roles[planned.column]
            raw = look.raw(space, look.of_codes(space, items.roles[planned.column].values))
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


def _framed(plan: Plan, side: Side, frame: Frame, look: LookUp, day: Day) -> dict[str, Array]:
    """Features made of a frame's own columns."""
    chosen = [
        f for f in plan.features.values() if f.feature.side is side and f.frame in ("row", "user", "calendar", "item")
    ]
    kinds = {space: plan.space_kind(space) for space in plan.spaces}
    raw = raw_inputs(chosen, frame, kinds, bag_widths(plan, chosen, frame), day)
    # A missing single value is unknown, a cell without a value is padding: their raw values say which.
    return {f.name: look.of_raw(f.feature.space, raw[f.name]) if f.feature.space else raw[f.name] for f in chosen}


def _item_values(plan: Plan, items: DayItems, look: LookUp, day: Day) -> dict[str, Array]:
    if not plan.ranking:
        return _framed(plan, Side.ITEM, items.frame, look, day)
    values: dict[str, Array] = {}
    for planned in plan.of_frame("item"):
        space = planned.feature.space or ""
        if planned.column == "key":
            values[planned.name] = look.of_codes(space, items.key)
            continue
        lists, padding = package_lists(plan, planned, items.roles, look), look.padding(space)
        if planned.feature.kind is Kind.CATEGORICAL:
            values[planned.name] = lists.padded(1, look.unknown(space))[:, 0]
        elif planned.feature.kind is Kind.BAG:
            width = bag_width(int(lists.lengths.max(initial=0)), planned.feature.values)
            values[planned.name] = lists.padded(width, padding)
        else:
            values[planned.name] = last_values(lists, planned.feature.steps).padded(planned.feature.steps, padding)
    return values


def package_lists(plan: Plan, planned: PlannedFeature, roles: Mapping[str, Lists], look: LookUp) -> Lists:
    """What stands for the ids of a feature of packages, from the codes of their roles."""
    if planned.plain:
        codes = roles[planned.column]
        return Lists(codes.offsets, look.of_codes(plan.roles[planned.column], codes.values))
    raw = made_of_roles(plan, planned, roles, look)
    return Lists(raw.offsets, look.of_raw(planned.feature.space or "", raw.values))


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
