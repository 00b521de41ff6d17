"""Codes of a day's ids (``ids.codes``), by which the feature state is asked and grown."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.schema import Kind, Side
from pipeline.features.arrays.look_up import LookUp
from pipeline.features.arrays.raw_values import as_raw, bag_ids, categorical_ids, package_ids
from pipeline.features.frames.frame import Array, Frame, Lists
from pipeline.features.ids.codes import MISSING, Codes, codes_of, key_of
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows, flat


def column_codes(plan: Plan, space: str, values: Array, what: str) -> Codes:
    """Codes of a column's values as ids of a space; raises ``DataError`` where a value cannot be one."""
    return codes_of(as_raw(values, plan.space_kind(space), what))


def frame_codes(plan: Plan, planned: PlannedFeature, frame: Frame) -> Codes:
    """One code a row of a frame that has the feature's columns; of a bag that of its first value, if any."""
    kind = plan.space_kind(planned.feature.space or "")
    if planned.feature.kind is Kind.BAG:
        return first_code(list_codes(bag_ids(planned, frame, kind)))
    return codes_of(categorical_ids(planned, frame, kind))


def item_codes(plan: Plan, name: str, rows: DayRows) -> Codes:
    """One code an item of the day's events."""
    planned = plan.features[name]
    if not plan.ranking:
        return frame_codes(plan, planned, rows.items)
    lists = rows.role(planned.column)
    if planned.plain:
        return first_code(role_codes(plan, planned.column, lists))
    return first_code(list_codes(package_ids(planned, lists, plan.space_kind(planned.feature.space or ""))))


def event_codes(plan: Plan, name: str, rows: DayRows) -> Codes:
    """The code of a feature at each event."""
    planned = plan.features[name]
    if planned.feature.side is Side.ITEM:
        return item_codes(plan, name, rows)[rows.event_item]
    return frame_codes(plan, planned, rows.events)


def role_codes(plan: Plan, role: str, lists: Lists) -> Lists:
    """A role of packages in codes."""
    return Lists(lists.offsets, column_codes(plan, plan.roles[role], lists.values, f"item.{role}"))


def package_codes(plan: Plan, planned: PlannedFeature, roles: Mapping[str, Lists], look: LookUp) -> Lists:
    """The lists of codes of a feature of packages, from those of their roles."""
    return roles[planned.column] if planned.plain else list_codes(made_of_roles(plan, planned, roles, look))


def made_of_roles(plan: Plan, planned: PlannedFeature, roles: Mapping[str, Lists], look: LookUp) -> Lists:
    """The raw ids that a feature's rule makes of those of a role, in lists of codes."""
    codes, space = roles[planned.column], plan.roles[planned.column]
    raw = Lists(codes.offsets, look.raw(space, look.of_codes(space, codes.values)))
    return package_ids(planned, raw, plan.space_kind(planned.feature.space or ""))


def list_codes(lists: Lists) -> Lists:
    return Lists(lists.offsets, codes_of(lists.values))


def first_code(lists: Lists) -> Codes:
    """The first code of each list, that of a missing id where it is empty."""
    return lists.padded(1, MISSING)[:, 0]


def owner_codes(plan: Plan, frame: Frame) -> tuple[Codes, ...]:
    """Codes of the ids that own each row's history."""
    return tuple(
        column_codes(plan, space, flat(frame[f"row.{column}"]), f"row.{column}")
        for column, space in zip(plan.owner_columns, plan.owner_spaces, strict=True)
    )


def group_codes(plan: Plan, columns: tuple[str, ...], frame: Frame) -> tuple[Codes, ...]:
    """Codes of the columns that rows are matched by: a group of similar classes, or a class of any teacher."""
    return tuple(column_codes(plan, plan.group_space(name), flat(frame[name]), name) for name in columns)


def group_keys(plan: Plan, columns: tuple[str, ...], frame: Frame) -> NDArray[np.int64]:
    """Key of the rows that share ``columns``; empty without columns."""
    return key_of(*group_codes(plan, columns, frame)) if columns else np.zeros(0, np.int64)


def study_owner(plan: Plan, frame: Frame) -> Codes:
    """Code of the owner of study values at each row."""
    assert plan.config.ranking is not None
    assert plan.config.ranking.study is not None
    assert plan.study_owner_space is not None
    column = plan.config.ranking.study.owner
    return column_codes(plan, plan.study_owner_space, flat(frame[f"row.{column}"]), f"row.{column}")
