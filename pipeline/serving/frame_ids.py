"""The raw ids that counters of a frame's rows begin with."""

from __future__ import annotations

from typing import Any

from models.schema import Kind
from pipeline.features.arrays.raw_values import bag_ids, categorical_ids, missing_of
from pipeline.features.frames.frame import Frame
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.plan import Plan


def first_ids(plan: Plan, planned: PlannedFeature, frame: Frame) -> list[Any]:
    """One raw id of a feature a row, missing where it has none; of a bag its first one."""
    kind = plan.space_kind(str(planned.feature.space))
    if planned.feature.kind is Kind.BAG:
        return list(bag_ids(planned, frame, kind).padded(1, missing_of(kind))[:, 0].tolist())
    return list(categorical_ids(planned, frame, kind).tolist())
