"""A day's arrays out of its rows and the feature state as of the end of the day before.

``assemble`` is shared with serving, which asks a model in raw ids; ``build`` puts what it gives, in indices, into the
matrices that models are trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.id_columns import IdColumns
from models.schema import Columns, DayArrays, Kind, Layout, Side
from pipeline.errors import DataError
from pipeline.features.arrays.candidates import Candidates, candidates_of
from pipeline.features.arrays.composed_ids import misfits
from pipeline.features.arrays.counter_values import counter_values
from pipeline.features.arrays.fitted_scores import Scores, fitted_scores
from pipeline.features.arrays.framed import framed
from pipeline.features.arrays.items import DayItems
from pipeline.features.arrays.kinds import arrays_of
from pipeline.features.arrays.look_up import Indices, LookUp, Maps
from pipeline.features.arrays.over_bags import values_over_bags, with_bags
from pipeline.features.arrays.paired_lists import UNPAIRED, unpaired_rows
from pipeline.features.arrays.pool import Pool
from pipeline.features.arrays.raw_values import as_raw
from pipeline.features.arrays.request import RequestArrays
from pipeline.features.arrays.request_histories import Histories, LastYear
from pipeline.features.frames.frame import Array
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows
from pipeline.features.state.factor_store import Fitted
from pipeline.features.state.state import FeatureState


@dataclass(frozen=True)
class Built:
    """A day's arrays with what names their rows.

    Attributes:
        key_rank: int32 ``[items]`` place of each item's raw key among the day's, which breaks ties of score.
        keys: raw ids that name the rows: ``request.<column>`` of users and owners, ``request.…`` of what else names
            a request of its kind, and ``item.key``.
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
        candidates: of the requests.
        histories: what the requests' windows were cut from.
    """

    values: Mapping[str, Array]
    candidates: Candidates
    histories: Histories

    @property
    def items(self) -> DayItems:
        return self.candidates.items


def assemble(
    plan: Plan, rows: DayRows, look: LookUp, state: FeatureState,
    *, pool: Pool | None = None, last_year: LastYear | None = None, candidates: Candidates | None = None,
    scores: Mapping[str, Scores] | None = None,
) -> Assembled:  # fmt: skip
    """Every feature of ``rows``, as of the end of the day before theirs.

    Args:
        look: what stands for ids.
        state: as of the end of the day before; a later one is an error.
        pool: candidates, where requests do not name their own.
        last_year: windows of last year's history for each request, where features ask for them.
        candidates: those of ``rows``, where they were made before.
        scores: by name of the settings that they are fitted by, where features ask for them.

    Raises:
        DataError: the state is of the rows' own day or later.
    """
    if state.day is not None and state.day >= rows.day:
        raise DataError(f"features of {rows.day} with the state of {state.day}: only earlier days may be used")
    arrays = arrays_of(plan)
    if candidates is None:
        made = candidates_of(arrays, arrays.items(rows, look, pool), look, state, rows.day)
        candidates = with_bags(plan, made, state, rows.day)
    items = candidates.items
    histories = arrays.histories(rows, look, state, last_year or {})
    values: dict[str, Array] = {}
    values |= framed(plan, Side.REQUEST, rows.requests, look, rows.day, state.limits)
    values |= histories.values()
    values |= candidates.values
    values |= counter_values(plan, rows, items, candidates.codes, candidates.counters, state)
    values |= values_over_bags(plan, rows, candidates, state, scores or {})
    for planned in plan.features.values():
        if planned.feature.side is Side.PAIR and planned.settings.source is not None:
            values[planned.name] = arrays.pair_values(planned, rows, items, state)
    return Assembled(values, candidates, histories)


def build(
    plan: Plan, rows: DayRows, maps: Maps, state: FeatureState,
    *, pool: Pool | None = None, last_year: LastYear | None = None, factors: Mapping[str, Fitted] | None = None,
    new: NDArray[np.bool_] | None = None,
) -> Built:  # fmt: skip
    """The arrays of ``rows`` in indices; see ``assemble``.

    Args:
        new: the items that are counted; none = all of them.
    """
    look, kind = Indices(maps), arrays_of(plan)
    scores = fitted_scores(plan, rows, state, factors or {})
    found = assemble(plan, rows, look, state, pool=pool, last_year=last_year, scores=scores)
    values, items = found.values, found.items
    layout = Layout.of(plan.schema, {name: each.shape[-1] for name, each in values.items() if _is_wide(plan, name)})
    requests, number, pairs = rows.requests.rows, len(items.key), len(items.pair_item)
    arrays = DayArrays(
        layout=layout,
        request_ids=_ids(layout.request_ids, values, requests),
        request_dense=_dense(layout.request_dense, values, requests),
        item_ids=_ids(layout.item_ids, values, number),
        item_dense=_dense(layout.item_dense, values, number),
        offsets=items.offsets, pair_item=items.pair_item,
        pair_dense=_dense(layout.pair_dense, values, pairs),
        label=items.label, weight=rows.weight, user=kind.user(rows, look).astype(np.int32),
        tasks=plan.config.task_names,
    )  # fmt: skip
    empty = found.histories.empty_days()
    return Built(
        arrays, found.candidates.rank.astype(np.int32), kind.keys(rows, items), found.histories.groups(empty), empty,
        {**rows.counts, **_counts(kind, rows, found, look, new)},
    )  # fmt: skip


def _counts(
    kind: RequestArrays[Any], rows: DayRows, found: Assembled, look: LookUp, new: NDArray[np.bool_] | None
) -> dict[str, int]:
    """How much there is, and what was left out."""
    items, counted, number = found.items, found.items, len(found.items.key)
    if new is not None:
        counted, number = replace(items, frame=items.frame.take(np.flatnonzero(new))), int(new.sum())
    counts = {"pairs": len(items.pair_item), "items": number, **_misfits(kind, rows, counted, look)}
    counts |= {f"{name}_without_column": number for name, number in found.histories.beyond.items()}
    unpaired = unpaired_rows(kind.plan.features.values(), rows.requests)
    counts |= {f"{UNPAIRED}{group}": number for group, number in unpaired.items()}
    return counts | kind.counts(items)


def _misfits(kind: RequestArrays[Any], rows: DayRows, items: DayItems, look: LookUp) -> dict[str, int]:
    """By feature that takes digits of ids, how many of the day's ids are composed otherwise than its rule says."""
    found: dict[str, int] = {}
    for planned in kind.plan.of_frame("row", "user", "item"):
        rule = planned.settings.digits
        if rule is not None:
            raw = kind.composed(planned, rows, items, look)
            found[f"{planned.name}_misfits"] = misfits(as_raw(raw, "int", f"feature '{planned.name}'"), rule)
    return found


def _ids(places: Mapping[str, Columns], values: Mapping[str, Array], rows: int) -> IdColumns:
    return IdColumns(
        rows, {place.start: values[name].reshape(rows, place.stop - place.start) for name, place in places.items()}
    )


def _dense(places: Mapping[str, Columns], values: Mapping[str, Array], rows: int) -> NDArray[np.float32]:
    matrix = np.empty((rows, Layout.width(places)), np.float32)
    for name, place in places.items():
        matrix[:, place.start : place.stop] = values[name].reshape(rows, place.stop - place.start)
    return matrix


def _is_wide(plan: Plan, name: str) -> bool:
    return plan.schema[name].kind in (Kind.BAG, Kind.BAG_SEQUENCE)
