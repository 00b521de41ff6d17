"""One request's part of the world: small id maps and a small feature state, made of what Redis gave.

Indices here are the request's own. So the very functions that build a day's training arrays build the request's, and
what comes out, turned back into raw ids, is what the exported model takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.schema import PADDING
from pipeline.features.frames.frame import Array, Column, Lists
from pipeline.features.frames.keyed import Keyed, Layered
from pipeline.features.frames.packing import is_known, pack
from pipeline.features.ids.idmap import IdMap
from pipeline.features.state.counters import CounterTable
from pipeline.features.state.histories import HistoryTable
from pipeline.features.state.latest import LatestTable
from pipeline.features.state.state import FeatureState
from pipeline.features.state.style_counts import COUNTS, STYLES
from pipeline.ingest.canonical_ids import MISSING_INT, MISSING_STR, PAD_INT, PAD_STR
from pipeline.serving.meta import CounterPart, Meta

Maps = dict[str, IdMap]


def small_maps(meta: Meta, raw: Mapping[str, Sequence[Array]]) -> Maps:
    """Id maps of the raw ids of a request, by space."""
    maps: Maps = {}
    for space, kind in meta.plan.spaces.items():
        parts = [np.asarray(each, np.int64 if kind == "int" else object) for each in raw.get(space, [])]
        values = np.concatenate(parts) if parts else np.zeros(0, np.int64 if kind == "int" else object)
        ids = pd.unique(values)
        reserved = [PAD_INT, MISSING_INT] if kind == "int" else [PAD_STR, MISSING_STR]
        maps[space] = IdMap(space, kind, ids[~np.isin(ids, reserved)])
    return maps


def array_of(values: Iterable[Any], kind: str) -> Array:
    """Raw ids of a space's kind."""
    found = list(values)
    out = np.empty(len(found), np.int64 if kind == "int" else object)
    out[:] = found
    return out


def small_state(
    meta: Meta,
    maps: Maps,
    *,
    owner: tuple[Any, ...],
    history: Mapping[str, Any] | None,
    counters: Mapping[str, Mapping[str, Any]],
    study: tuple[Any, Mapping[str, Any]] | None,
    style_counts: Mapping[str, Any] | None = None,
) -> FeatureState:
    """The feature state as far as one request reads it.

    Args:
        owner: raw ids of the history's owner.
        history: columns of its entries.
        counters: by part, the columns by raw id of the key's first feature.
        study: the owner of study values and the columns of its sections.
        style_counts: columns of the owner's entries in the table of style counts.
    """
    state = FeatureState.of_plan(meta.state_plan)
    tables = {each.key: _counter(meta, maps, each, counters[each.part]) for each in meta.counters}
    return replace(
        state,
        day=meta.day,
        counters={group: tables.get(group, empty) for group, empty in state.counters.items()},
        overall=meta.overall,
        histories=replace(state.histories, table=_history(meta, maps, owner, history, state.histories.table)),
        latest=_latest(meta, maps, study, state.latest),
        style_counts=_style_counts(meta, maps, owner, style_counts, state.style_counts),
    )


def _counter(meta: Meta, maps: Maps, part: CounterPart, found: Mapping[str, Any]) -> CounterTable:
    """The cells of the keys that begin with one of the raw ids found."""
    empty = CounterTable.empty(len(part.key), part.half_lives)
    spaces = [str(meta.plan.features[name].feature.space) for name in part.key]
    kinds = [meta.plan.space_kind(space) for space in spaces]
    firsts = [int(raw) if kinds[0] == "int" else raw for raw in found]
    rows = list(found.values())
    lengths = [len(row["count"]) for row in rows]
    indices = [np.repeat(maps[spaces[0]].lookup(array_of(firsts, kinds[0])), lengths)]
    for name, space, kind in zip(part.key[1:], spaces[1:], kinds[1:], strict=True):
        indices.append(maps[space].lookup(array_of((value for row in rows for value in row[name]), kind)))
    keys = pack(*indices, names=part.key)
    kept = np.flatnonzero(is_known(keys, len(part.key)))
    order = kept[np.argsort(keys[kept], kind="stable")]
    columns: dict[str, Column] = {}
    for name, template in empty.table.base.columns.items():
        assert not isinstance(template, Lists)
        source = name
        if part.counts_only:
            source = {"positive": "count", "last_positive": "last_day", "decayed_positive": "decayed"}.get(name, name)
        if source.startswith("decayed") and not part.half_lives:
            columns[name] = np.zeros((len(order), 0), template.dtype)
            continue
        values = np.array([value for row in rows for value in row[source]], template.dtype)
        columns[name] = values.reshape(len(keys), *template.shape[1:])[order]
    return CounterTable(len(part.key), part.half_lives, Layered.of(Keyed(keys[order], columns)))


def _history(
    meta: Meta, maps: Maps, owner: tuple[Any, ...], history: Mapping[str, Any] | None, empty: Layered
) -> Layered:
    if history is None or not history["days"]:
        return empty
    plan, key = meta.plan, _owner_key(meta, maps, owner)
    if key is None:
        return empty
    columns: dict[str, Column] = {"days": _one(np.array(history["days"], np.int32))}
    for part, space in plan.history_parts.items():
        lists = history[part]
        values = maps[space].lookup(array_of((v for each in lists for v in each), plan.space_kind(space)))
        columns[f"{part}.lengths"] = _one(np.array([len(each) for each in lists], np.int32))
        columns[f"{part}.values"] = _one(values.astype(np.int32))
    return Layered.of(Keyed(key, columns))


def _style_counts(
    meta: Meta, maps: Maps, owner: tuple[Any, ...], found: Mapping[str, Any] | None, empty: HistoryTable | None
) -> HistoryTable | None:
    space = meta.plan.counted_space
    if empty is None or space is None or found is None:
        return empty
    key = _owner_key(meta, maps, owner)
    if key is None:
        return empty
    styles = maps[space].lookup(array_of(found[STYLES], meta.plan.space_kind(space)))
    one_each = _one(np.ones(len(styles), np.int32))
    columns: dict[str, Column] = {
        "days": _one(np.array(found["days"], np.int32)),
        f"{STYLES}.lengths": one_each, f"{STYLES}.values": _one(styles.astype(np.int32)),
        f"{COUNTS}.lengths": one_each, f"{COUNTS}.values": _one(np.array(found[COUNTS], np.int32)),
    }  # fmt: skip
    return replace(empty, table=Layered.of(Keyed(key, columns)))


def _owner_key(meta: Meta, maps: Maps, owner: tuple[Any, ...]) -> NDArray[np.int64] | None:
    """The packed key of a history's owner; none where the release knows no such owner."""
    plan = meta.plan
    indices = [
        maps[space].lookup(array_of([raw], plan.space_kind(space)))
        for space, raw in zip(plan.owner_spaces, owner, strict=True)
    ]
    key = pack(*indices, names=plan.owner_columns)
    return key.astype(np.int64) if is_known(key, len(indices)).all() else None


def _one(values: Array) -> Lists:
    return Lists(np.array([0, len(values)], np.int64), values)


def _latest(meta: Meta, maps: Maps, study: tuple[Any, Mapping[str, Any]] | None, empty: LatestTable) -> LatestTable:
    plan = meta.plan
    if study is None or plan.study_owner_space is None:
        return empty
    raw, columns = study
    owner_space, section_space = plan.study_owner_space, plan.roles["sections"]
    owner = maps[owner_space].lookup(array_of([raw], plan.space_kind(owner_space)))
    section = maps[section_space].lookup(array_of(columns["sections"], plan.space_kind(section_space)))
    keys = pack(np.repeat(owner, len(section)), section, names=("study owner", "study section"))
    kept = np.flatnonzero(is_known(keys, 2))
    order = kept[np.argsort(keys[kept], kind="stable")]
    rows = [[np.nan if value is None else value for value in row] for row in columns["values"]]
    values = np.array(rows, np.float32).reshape(len(keys), empty.size)
    days = np.array(columns["day"], np.int32)
    return LatestTable(empty.size, Layered.of(Keyed(keys[order], {"day": days[order], "values": values[order]})))


def windows(
    meta: Meta, maps: Maps, found: Mapping[str, Any] | None, requests: int, length: int, values: int
) -> dict[str, NDArray[np.int32]]:
    """Last year's windows in indices, the same for every request; all padding where there are none."""
    out: dict[str, NDArray[np.int32]] = {}
    for part in sorted({f.column for f in meta.plan.of_frame("last_year")}):
        space = meta.plan.history_parts[part]
        days = found[part] if found is not None else [[]] * length
        lists = Lists.of(days, np.int64 if meta.plan.space_kind(space) == "int" else object)
        window = Lists(lists.offsets, maps[space].lookup(lists.values)).padded(values, PADDING)
        out[part] = np.repeat(window[None].astype(np.int32), requests, axis=0)
    return out


