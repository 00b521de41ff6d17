"""Features that are made of a frame's own columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.schema import Kind, Side
from pipeline.days import Day
from pipeline.features.arrays.look_up import LookUp
from pipeline.features.arrays.raw_values import bag_ids, bag_width, number_of, raw_columns
from pipeline.features.frames.frame import Array, Frame, Lists
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.plan import Plan


def framed(
    plan: Plan, side: Side, frame: Frame, look: LookUp, day: Day,
    limits: Mapping[str, NDArray[np.float32]] | None = None,
) -> dict[str, Array]:  # fmt: skip
    """The features of a side that are made of a frame's own columns.

    Args:
        limits: of bins, by feature that is a bin of a number.
    """
    of_side = [f for f in plan.of_frame("row", "user", "calendar", "item") if f.feature.side is side]
    chosen = [f for f in of_side if f.name not in plan.bins]
    found: dict[str, Array] = {}
    for name, own in (limits or {}).items():
        planned = plan.features[name]
        found[name] = look.of_numbers(planned.feature.space or "", number_of(planned, frame, day), own)
    for planned, raw, width in raw_columns(chosen, frame, plan.spaces, {}, day):
        space = planned.feature.space
        if isinstance(raw, Lists):
            if planned.feature.kind is Kind.BAG:
                width = _bag_width(planned, raw)
            ids = Lists(raw.offsets, look.of_raw(space or "", raw.values))
            found[planned.name] = ids.padded(width, look.padding(space or ""))
        else:
            # A missing single value is unknown: its raw value says so.
            found[planned.name] = look.of_raw(space, raw) if space else raw
    return found


def bag_widths(plan: Plan, features: Sequence[PlannedFeature], frame: Frame) -> dict[str, int]:
    """The width of each bag of a frame: the power of two that its longest row needs."""
    widths = {}
    for planned in features:
        if planned.feature.kind is Kind.BAG:
            lists = bag_ids(planned, frame, plan.space_kind(planned.feature.space or ""))
            widths[planned.name] = _bag_width(planned, lists)
    return widths


def _bag_width(planned: PlannedFeature, lists: Lists) -> int:
    return bag_width(int(lists.lengths.max(initial=0)), planned.feature.values)
