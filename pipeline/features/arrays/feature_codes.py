"""Codes of a day's ids (``ids.codes``), by which the feature state is asked and grown."""

from __future__ import annotations

from models.schema import Kind
from pipeline.features.arrays.raw_values import as_raw, bag_ids, categorical_ids
from pipeline.features.frames.frame import Array, Frame, Lists
from pipeline.features.ids.fingerprints import MISSING, Codes, codes_of
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import flat


def column_codes(plan: Plan, space: str, values: Array, what: str) -> Codes:
    """Codes of a column's values as ids of a space; raises ``DataError`` where a value cannot be one."""
    return codes_of(as_raw(values, plan.space_kind(space), what))


def frame_codes(plan: Plan, planned: PlannedFeature, frame: Frame) -> Codes:
    """One code a row of a frame that has the feature's columns; of a bag that of its first value, if any."""
    kind = plan.space_kind(planned.feature.space or "")
    if planned.feature.kind is Kind.BAG:
        return first_code(list_codes(bag_ids(planned, frame, kind)))
    return codes_of(categorical_ids(planned, frame, kind))


def list_codes(lists: Lists) -> Lists:
    return Lists(lists.offsets, codes_of(lists.values))


def first_code(lists: Lists) -> Codes:
    """The first code of each list, that of a missing id where it is empty."""
    return lists.padded(1, MISSING)[:, 0]


def owner_codes(plan: Plan, frame: Frame) -> tuple[Codes, ...]:
    """Codes of the ids that own each row's history."""
    return tuple(
        column_codes(plan, space, flat(frame[f"row.{column}"]), f"row.{column}")
        for column, space in zip(plan.request.owner_columns, plan.request.owner_spaces, strict=True)
    )
