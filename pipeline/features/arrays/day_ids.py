"""A day's raw ids by id space, in the order in which new ones get their indices."""

from __future__ import annotations

import numpy as np

from models.schema import Kind
from pipeline.features.arrays.raw_values import as_raw, bag_ids, categorical_ids, package_ids
from pipeline.features.frames.frame import Array, Column, Frame
from pipeline.features.frames.from_arrow import lists_of
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows
from pipeline.features.rows.packages import Packages


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
            return bag_ids(plan.row_parts[planned.column], clicked, kind).values
        return as_raw(lists_of(item_part(plan, rows.items, planned.column)).values, kind, what)
    if planned.frame == "item" and plan.ranking and not planned.plain:
        return package_ids(planned, rows.role(planned.column), kind).values
    if planned.frame == "item" and plan.ranking:
        return as_raw(rows.role(planned.column).values, kind, what)
    return _frame_ids(plan, planned, rows.items if planned.frame == "item" else rows.events)


def item_part(plan: Plan, items: Frame, part: str) -> Column:
    """The column of an impression's items that a part of histories keeps."""
    assert plan.config.impressions is not None
    return items[f"item.{plan.config.impressions.item if part == 'items' else part}"]


def _frame_ids(plan: Plan, planned: PlannedFeature, frame: Frame) -> Array:
    kind = plan.space_kind(planned.feature.space or "")
    if planned.feature.kind is Kind.CATEGORICAL:
        return categorical_ids(planned, frame, kind)
    return bag_ids(planned, frame, kind).values


def _joined(parts: list[Array], kind: str) -> Array:
    if not parts:
        return np.zeros(0, np.int64 if kind == "int" else object)
    return np.concatenate(parts)
