"""What a day's rows add to the feature state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.features.arrays.day_ids import item_part
from pipeline.features.arrays.feature_codes import (
    column_codes,
    event_codes,
    group_keys,
    list_codes,
    owner_codes,
    role_codes,
)
from pipeline.features.arrays.raw_values import bag_ids
from pipeline.features.frames.frame import Frame, Lists
from pipeline.features.frames.from_arrow import lists_of
from pipeline.features.ids.codes import Codes
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows, flat
from pipeline.features.state.events import Events, HistoryRows


def events_of(plan: Plan, rows: DayRows) -> Events:
    """The day's events, by the codes of their ids."""
    catalogue_keys, catalogue = _catalogue(plan, rows)
    latest_keys, latest = _latest(plan, rows)
    return Events(
        day=rows.day,
        keys={name: event_codes(plan, name, rows) for name in plan.key_features},
        label=rows.label,
        history=_history_rows(plan, rows),
        catalogue_keys=catalogue_keys,
        catalogue_taken=np.ones(len(catalogue_keys), np.int32),
        catalogue=catalogue,
        latest_keys=latest_keys,
        latest=latest,
        style_counts=_style_counts(plan, rows),
    )


def _history_rows(plan: Plan, rows: DayRows) -> HistoryRows:
    """What the day adds to histories: homework that was set, or clicked items."""
    if plan.ranking:
        roles = {part: plan.part_role(part) for part in plan.history_parts}
        return HistoryRows(
            owner_codes(plan, rows.events),
            {part: role_codes(plan, role, rows.role(role)) for part, role in roles.items()},
            group_keys(plan, plan.group_columns, rows.events),
            group_keys(plan, plan.own_columns, rows.events),
        )
    clicked = np.flatnonzero(rows.label == 1)
    frame = rows.events.take(clicked)
    items = rows.event_item[clicked]
    parts = {}
    for part, space in plan.history_parts.items():
        if part in plan.row_parts:
            parts[part] = list_codes(bag_ids(plan.row_parts[part], frame, plan.space_kind(space)))
            continue
        lists = lists_of(item_part(plan, rows.items, part))
        parts[part] = Lists(lists.offsets, column_codes(plan, space, lists.values, f"item.{part}")).take(items)
    return HistoryRows(owner_codes(plan, frame), parts)


def _catalogue(plan: Plan, rows: DayRows) -> tuple[Codes, dict[str, Lists]]:
    """Packages taken on the day, where candidates are those that were seen (of a listed one the table knows more);
    items that were shown.
    """
    ranking = plan.config.ranking
    if ranking is None:
        column = plan.config.impressions.item if plan.config.impressions is not None else ""
        shown = column_codes(plan, plan.item_space, flat(rows.items[f"item.{column}"]), f"item.{column}")
        return shown[rows.event_item], {}
    if ranking.candidates.taken_from != "seen":
        return np.zeros(0, np.int64), {}
    keys = role_codes(plan, "key", rows.role("key")).values
    return keys, {role: role_codes(plan, role, rows.role(role)) for role in plan.roles if role != "key"}


def _latest(plan: Plan, rows: DayRows) -> tuple[tuple[Codes, Codes], NDArray[np.float32]]:
    study, owner_space, section_space = rows.study, plan.study_owner_space, plan.roles.get("sections")
    if study is None or owner_space is None or section_space is None:
        return (np.zeros(0, np.int64), np.zeros(0, np.int64)), np.zeros((0, 0), np.float32)
    owner = column_codes(plan, owner_space, study.owner, "study owners")
    return (owner, column_codes(plan, section_space, study.section, "study sections")), study.values


def _style_counts(plan: Plan, rows: DayRows) -> HistoryRows | None:
    counted, space = rows.style_counts, plan.counted_space
    if counted is None or space is None:
        return None
    owners = {f"row.{column}": values for column, values in zip(plan.owner_columns, counted.owner, strict=True)}
    style = column_codes(plan, space, counted.style, "style counts")
    ends = np.arange(len(style) + 1, dtype=np.int64)
    owner = owner_codes(plan, Frame(len(style), owners))
    return HistoryRows(owner, {"styles": Lists(ends, style), "counts": Lists(ends, counted.count)})
