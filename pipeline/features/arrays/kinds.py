"""Which ids, events and arrays a kind of request has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.config.requests import Kind
from pipeline.features.arrays.growth import RequestGrowth
from pipeline.features.arrays.homework_arrays import HomeworkArrays
from pipeline.features.arrays.homework_growth import HomeworkGrowth
from pipeline.features.arrays.impression_arrays import ImpressionArrays
from pipeline.features.arrays.impression_growth import ImpressionGrowth
from pipeline.features.arrays.labelled_arrays import LabelledArrays
from pipeline.features.arrays.labelled_growth import LabelledGrowth
from pipeline.features.arrays.request import RequestArrays
from pipeline.features.plan.plan import Plan

GROWTH: Mapping[Kind, Callable[[Plan, Any], RequestGrowth[Any]]] = {
    "ranking": HomeworkGrowth, "impressions": ImpressionGrowth, "rows": LabelledGrowth,
}  # fmt: skip
ARRAYS: Mapping[Kind, Callable[[Plan, Any], RequestArrays[Any]]] = {
    "ranking": HomeworkArrays, "impressions": ImpressionArrays, "rows": LabelledArrays,
}  # fmt: skip
"""Each is made of the plan, and of the plan of its kind."""


def growth_of(plan: Plan) -> RequestGrowth[Any]:
    """What makes ids and events of a job's rows."""
    return GROWTH[plan.config.kind](plan, plan.request)


def arrays_of(plan: Plan) -> RequestArrays[Any]:
    """What makes arrays of a job's rows."""
    return ARRAYS[plan.config.kind](plan, plan.request)
