"""The feature state as far as one request reads it, made of what Redis gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipeline.features.frames.frame import Array, Column, Lists
from pipeline.features.frames.keyed import Keyed, Layered
from pipeline.features.ids.fingerprints import Codes, are_known, key_of
from pipeline.features.state.counters import CounterTable
from pipeline.features.state.histories import HistoryTable
from pipeline.features.state.keys import id_columns
from pipeline.features.state.state import FeatureState
from pipeline.serving.meta import CounterPart, Meta
from pipeline.serving.raw_look_up import RawIds

Found = Mapping[str, Any]
"""Columns of one field of a release's part."""


@dataclass(frozen=True)
class Known:
    """What a release knows of one request.

    Attributes:
        owner: raw ids of the history's owner.
        history: columns of the owner's entries.
        counters: by part, the columns by raw id of the key's first feature.
    """

    owner: tuple[Any, ...]
    history: Found | None
    counters: Mapping[str, Mapping[str, Found]]


def small_state(meta: Meta, look: RawIds, known: Known) -> FeatureState:
    """The state of all that ``known`` tells; of anything else it says that there was nothing."""
    state = FeatureState.of_plan(meta.state_plan)
    owner = look.owner(known.owner)
    tables = {each.key: _counter(meta, look, each, known.counters[each.part]) for each in meta.counters}
    return replace(
        state,
        day=meta.day,
        counters={group: tables.get(group, empty) for group, empty in state.counters.items()},
        overall=meta.overall,
        histories=_history(meta, look, owner, known.history, state.histories),
    )


def _counter(meta: Meta, look: RawIds, part: CounterPart, found: Mapping[str, Found]) -> CounterTable:
    """The cells of the keys that begin with one of the raw ids found."""
    empty = CounterTable.empty(len(part.key), part.half_lives)
    spaces = [str(meta.plan.features[name].feature.space) for name in part.key]
    whole = meta.plan.space_kind(spaces[0]) == "int"
    rows = list(found.values())
    first = look.codes(spaces[0], (int(raw) if whole else raw for raw in found))
    codes = [np.repeat(first, [len(row["count"]) for row in rows])]
    for name, space in zip(part.key[1:], spaces[1:], strict=True):
        codes.append(look.codes(space, (value for row in rows for value in row[name])))
    columns: dict[str, Column] = {}
    for name, template in meta.overall.columns().items():
        source = name
        if part.counts_only:
            source = {"positive": "count", "last_positive": "last_day", "decayed_positive": "decayed"}.get(name, name)
        # Of a counter without half-lives nothing decayed is stored.
        stored = [value for row in rows for value in row[source]] if part.half_lives or "decayed" not in name else []
        shape = (len(codes[0]), len(part.half_lives)) if "decayed" in name else (len(codes[0]),)
        columns[name] = np.array(stored, template.dtype).reshape(shape)
    return replace(empty, table=keyed(tuple(codes), columns))


def _history(
    meta: Meta, look: RawIds, owner: tuple[Codes, ...], found: Found | None, empty: HistoryTable
) -> HistoryTable:
    if found is None or not found["days"]:
        return empty
    columns: dict[str, Column] = {"days": one_row(np.array(found["days"], np.int32))}
    for part, space in meta.plan.request.history_parts.items():
        lists = found[part]
        columns[f"{part}.lengths"] = one_row(np.array([len(each) for each in lists], np.int32))
        columns[f"{part}.values"] = one_row(look.codes(space, (value for each in lists for value in each)))
    return replace(empty, table=keyed(owner, columns))


def keyed(codes: tuple[Codes, ...], columns: Mapping[str, Column]) -> Layered:
    """A table of rows whose ids are all known."""
    table = Keyed(key_of(*codes), {**columns, **id_columns(codes)})
    kept = np.flatnonzero(are_known(*codes))
    return Layered.of(table.take(kept[np.argsort(table.keys[kept], kind="stable")]))


def one_row(values: Array) -> Lists:
    return Lists(np.array([0, len(values)], np.int64), values)
