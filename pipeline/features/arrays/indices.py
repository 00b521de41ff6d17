"""From a day's raw ids to the id maps that hold them, and to the day's events in indices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.schema import FIRST, PADDING, UNKNOWN, Kind, Side
from pipeline.features.arrays.raw_values import as_raw, bag_ids, categorical_ids, without
from pipeline.features.frames.frame import Array, Column, Frame, Lists
from pipeline.features.frames.from_arrow import lists_of
from pipeline.features.frames.packing import fingerprint, pack
from pipeline.features.ids.idmap import IdMap
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows, flat
from pipeline.features.rows.packages import Packages
from pipeline.features.state.events import Events, HistoryRows

Maps = Mapping[str, IdMap]


def raw_ids(plan: Plan, rows: DayRows, listed: Packages | None = None) -> dict[str, Array]:
    """The day's raw ids of every id space in canonical order: the order in which new ones get their indices.

    By feature as declared, and in it by row; then owners and sections of study rows; styles and owners of
    style counts; then listed candidates.

    Args:
        listed: packages of the candidate table, by rank and key.
    """
    found: dict[str, list[Array]] = {space: [] for space in plan.spaces}
    for planned in plan.features.values():
        if planned.feature.has_ids:
            space = planned.feature.space or ""
            found[space].append(_feature_ids(plan, planned, rows))
    if plan.config.ranking is not None and plan.config.ranking.log is not None:
        # Who looked and set nothing is in no event.
        for planned in plan.of_frame("row", "user", "calendar"):
            if planned.feature.has_ids:
                found[planned.feature.space or ""].append(_frame_ids(plan, planned, rows.requests))
    if plan.ranking:
        for role, space in plan.roles.items():
            found[space].append(as_raw(rows.role(role).values, plan.space_kind(space), f"item.{role}"))
    if rows.study is not None and plan.study_owner_space is not None:
        owner_space, section_space = plan.study_owner_space, plan.roles.get("sections")
        found[owner_space].append(as_raw(rows.study.owner, plan.space_kind(owner_space), "study owners"))
        if section_space is not None:
            found[section_space].append(as_raw(rows.study.section, plan.space_kind(section_space), "study sections"))
    counted, counted_space = rows.style_counts, plan.counted_space
    if counted is not None and counted_space is not None:
        found[counted_space].append(as_raw(counted.style, plan.space_kind(counted_space), "style counts"))
        for values, space in zip(counted.owner, plan.owner_spaces, strict=True):
            found[space].append(as_raw(values, plan.space_kind(space), "owners of style counts"))
    if listed is not None:
        for planned in plan.of_frame("item") if plan.ranking else []:
            if not planned.plain:
                space = planned.feature.space or ""
                found[space].append(package_ids(planned, listed.role(planned.column), plan.space_kind(space)).values)
        for role, space in plan.roles.items():
            found[space].append(as_raw(listed.role(role).values, plan.space_kind(space), f"candidates: {role}"))
    return {space: _joined(parts, plan.space_kind(space)) for space, parts in found.items()}


def events_of(plan: Plan, rows: DayRows, maps: Maps) -> Events:
    """The day's events in indices."""
    catalogue_keys, catalogue = _catalogue(plan, rows, maps)
    latest_keys, latest = _latest(plan, rows, maps)
    return Events(
        day=rows.day,
        keys={name: event_index(plan, name, rows, maps) for name in plan.key_features},
        label=rows.label,
        history=history_rows(plan, rows, maps),
        catalogue_keys=catalogue_keys,
        catalogue_taken=np.ones(len(catalogue_keys), np.int32),
        catalogue=catalogue,
        latest_keys=latest_keys,
        latest=latest,
        style_counts=_style_counts(plan, rows, maps),
    )


def event_index(plan: Plan, name: str, rows: DayRows, maps: Maps) -> NDArray[np.int32]:
    """The index of a feature at each event; of a bag its first value, unknown where it is empty."""
    planned = plan.features[name]
    if planned.feature.side is Side.ITEM:
        return item_index(plan, name, rows, maps)[rows.event_item]
    return frame_index(plan, planned, rows.events, maps)


def frame_index(plan: Plan, planned: PlannedFeature, frame: Frame, maps: Maps) -> NDArray[np.int32]:
    """One index a row of a frame that has the feature's columns."""
    space = planned.feature.space or ""
    if planned.feature.kind is Kind.BAG:
        lists = bag_ids(planned, frame, plan.space_kind(space))
        return first_index(Lists(lists.offsets, maps[space].lookup(lists.values)))
    return maps[space].lookup(categorical_ids(planned, frame, plan.space_kind(space)))


def item_index(plan: Plan, name: str, rows: DayRows, maps: Maps) -> NDArray[np.int32]:
    """One index an item of the day's events."""
    planned = plan.features[name]
    if plan.ranking:
        roles = {planned.column: role_index(plan, planned.column, rows.role(planned.column), maps)}
        return first_index(role_lists(plan, planned, roles, maps))
    return frame_index(plan, planned, rows.items, maps)


def role_index(plan: Plan, role: str, lists: Lists, maps: Maps) -> Lists:
    """A role of packages in indices."""
    space = plan.roles[role]
    return Lists(lists.offsets, maps[space].lookup(as_raw(lists.values, plan.space_kind(space), f"item.{role}")))


def first_index(lists: Lists) -> NDArray[np.int32]:
    return lists.padded(1, np.int32(UNKNOWN))[:, 0].astype(np.int32)


def owner_keys(plan: Plan, frame: Frame, maps: Maps) -> NDArray[np.int64]:
    """Packed key of the owner of each row's history."""
    spaces = plan.owner_spaces
    indices = [
        maps[space].lookup(as_raw(flat(frame[f"row.{column}"]), plan.space_kind(space), f"row.{column}"))
        for column, space in zip(plan.owner_columns, spaces, strict=True)
    ]
    return pack(*indices, names=plan.owner_columns)


def group_keys(plan: Plan, columns: tuple[str, ...], frame: Frame, maps: Maps) -> NDArray[np.int64]:
    """Key of the rows that share ``columns``: a group of similar classes, or a class of any teacher."""
    return fingerprint(*group_indices(plan, columns, frame, maps)) if columns else np.zeros(0, np.int64)


def group_indices(plan: Plan, columns: tuple[str, ...], frame: Frame, maps: Maps) -> list[NDArray[np.int32]]:
    """The matched columns in indices."""
    indices = []
    for name in columns:
        space = plan.group_space(name)
        indices.append(maps[space].lookup(as_raw(flat(frame[name]), plan.space_kind(space), name)))
    return indices


def history_rows(plan: Plan, rows: DayRows, maps: Maps) -> HistoryRows:
    """What the day adds to histories: homework that was set, or clicked items."""
    if plan.ranking:
        parts = {part: role_index(plan, plan.part_role(part), rows.role(plan.part_role(part)), maps)
                 for part in plan.history_parts}  # fmt: skip
        return HistoryRows(
            owner_keys(plan, rows.events, maps), parts,
            group_keys(plan, plan.group_columns, rows.events, maps),
            group_keys(plan, plan.own_columns, rows.events, maps),
        )  # fmt: skip
    clicked = np.flatnonzero(rows.label == 1)
    frame = rows.events.take(clicked)
    items = rows.event_item[clicked]
    parts = {}
    for part, space in plan.history_parts.items():
        if part in plan.row_parts:
            own = bag_ids(plan.row_parts[part], frame, plan.space_kind(space))
            parts[part] = Lists(own.offsets, maps[space].lookup(own.values))
            continue
        lists = lists_of(_item_part(plan, rows.items, part))
        raw = as_raw(lists.values, plan.space_kind(space), f"item.{part}")
        parts[part] = Lists(lists.offsets, maps[space].lookup(raw)).take(items)
    return HistoryRows(owner_keys(plan, frame, maps), parts)


def _item_part(plan: Plan, items: Frame, part: str) -> Column:
    assert plan.config.impressions is not None
    return items[f"item.{plan.config.impressions.item if part == 'items' else part}"]


def _feature_ids(plan: Plan, planned: PlannedFeature, rows: DayRows) -> Array:
    kind = plan.space_kind(planned.feature.space or "")
    what = f"feature '{planned.name}'"
    if planned.frame in ("history", "last_year"):
        # Their values are those of earlier days; this day's go into the histories of later ones.
        if plan.ranking and not planned.plain:
            return package_ids(planned, rows.role(plan.part_role(planned.column)), kind).values
        if plan.ranking:
            return as_raw(rows.role(plan.part_role(planned.column)).values, kind, what)
        if planned.column in plan.row_parts:
            clicked = rows.events.take(np.flatnonzero(rows.label == 1))
            # A request that is being answered has no outcome, and no column of it.
            return bag_ids(plan.row_parts[planned.column], clicked, kind).values if clicked.rows else _joined([], kind)
        return as_raw(lists_of(_item_part(plan, rows.items, planned.column)).values, kind, what)
    if planned.frame == "item" and plan.ranking and not planned.plain:
        return package_ids(planned, rows.role(planned.column), kind).values
    if planned.frame == "item" and plan.ranking:
        return as_raw(rows.role(planned.column).values, kind, what)
    return _frame_ids(plan, planned, rows.items if planned.frame == "item" else rows.events)


def _frame_ids(plan: Plan, planned: PlannedFeature, frame: Frame) -> Array:
    kind = plan.space_kind(planned.feature.space or "")
    if planned.feature.kind is Kind.CATEGORICAL:
        return categorical_ids(planned, frame, kind)
    return bag_ids(planned, frame, kind).values


def _joined(parts: list[Array], kind: str) -> Array:
    if not parts:
        return np.zeros(0, np.int64 if kind == "int" else object)
    return np.concatenate(parts)


def _catalogue(plan: Plan, rows: DayRows, maps: Maps) -> tuple[NDArray[np.int32], dict[str, Lists]]:
    """Packages taken on the day, where candidates are those that were seen (of a listed one the table knows more);
    items that were shown.
    """
    ranking = plan.config.ranking
    if ranking is None:
        column = plan.config.impressions.item if plan.config.impressions is not None else ""
        raw = as_raw(flat(rows.items[f"item.{column}"]), plan.space_kind(plan.item_space), f"item.{column}")
        return maps[plan.item_space].lookup(raw)[rows.event_item], {}
    if ranking.candidates.taken_from != "seen":
        return np.zeros(0, np.int32), {}
    keys = role_index(plan, "key", rows.role("key"), maps).values.astype(np.int32)
    attributes = {role: role_index(plan, role, rows.role(role), maps) for role in plan.roles if role != "key"}
    return keys, attributes


def _latest(plan: Plan, rows: DayRows, maps: Maps) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    study, owner_space, section_space = rows.study, plan.study_owner_space, plan.roles.get("sections")
    if study is None or owner_space is None or section_space is None:
        return np.zeros(0, np.int64), np.zeros((0, 0), np.float32)
    owner = maps[owner_space].lookup(as_raw(study.owner, plan.space_kind(owner_space), "study owners"))
    section = maps[section_space].lookup(as_raw(study.section, plan.space_kind(section_space), "study sections"))
    return pack(owner, section, names=("study owner", "study section")), study.values


def _style_counts(plan: Plan, rows: DayRows, maps: Maps) -> HistoryRows | None:
    counted, space = rows.style_counts, plan.counted_space
    if counted is None or space is None:
        return None
    owners = {f"row.{column}": values for column, values in zip(plan.owner_columns, counted.owner, strict=True)}
    owner = owner_keys(plan, Frame(len(counted.style), owners), maps)
    style = maps[space].lookup(as_raw(counted.style, plan.space_kind(space), "style counts"))
    ends = np.arange(len(style) + 1, dtype=np.int64)
    return HistoryRows(owner, {"styles": Lists(ends, style), "counts": Lists(ends, counted.count)})


def package_ids(planned: PlannedFeature, lists: Lists, kind: str) -> Lists:
    """Raw ids of a feature that is made of a package's role by a rule; values without such an id are left out."""
    return bag_ids(planned, Frame(len(lists), {planned.keys[0]: lists}), kind)


def role_lists(plan: Plan, planned: PlannedFeature, roles: Mapping[str, Lists], maps: Maps) -> Lists:
    """The index lists of a feature of packages, from those of their roles."""
    lists = roles[planned.column]
    if planned.plain:
        return lists
    table = index_table(plan, planned, plan.roles[planned.column], maps)
    return without(Lists(lists.offsets, table[lists.values]), PADDING)


def index_table(plan: Plan, planned: PlannedFeature, space: str, maps: Maps) -> NDArray[np.int32]:
    """For each index of ``space`` that of the id which the feature's rule makes of it; padding where it makes none."""
    own = planned.feature.space or ""
    ids = maps[space].ids
    made = package_ids(planned, Lists(np.arange(len(ids) + 1, dtype=np.int64), ids), plan.space_kind(own))
    table = np.zeros(FIRST + len(ids), np.int32)
    table[UNKNOWN] = UNKNOWN
    table[FIRST:][made.lengths > 0] = maps[own].lookup(made.values)
    return table


def study_owner(plan: Plan, frame: Frame, maps: Maps) -> NDArray[np.int32]:
    """Index of the owner of study values at each row."""
    assert plan.config.ranking is not None
    assert plan.config.ranking.study is not None
    assert plan.study_owner_space is not None
    column = plan.config.ranking.study.owner
    kind = plan.space_kind(plan.study_owner_space)
    return maps[plan.study_owner_space].lookup(as_raw(flat(frame[f"row.{column}"]), kind, f"row.{column}"))
