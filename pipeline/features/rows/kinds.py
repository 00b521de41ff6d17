"""Which rows a kind of request has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.config.requests import Kind
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.homework_whole_day import HomeworkRows
from pipeline.features.rows.impressions import ImpressionRows
from pipeline.features.rows.labelled import LabelledDays
from pipeline.features.rows.whole_day import RequestRows

ROWS: Mapping[Kind, Callable[[Any], RequestRows]] = {
    "ranking": HomeworkRows, "impressions": ImpressionRows, "rows": LabelledDays,
}  # fmt: skip
"""Each is made of the plan of its kind."""


def rows_of(plan: Plan) -> RequestRows:
    """What makes the rows of a job's days."""
    return ROWS[plan.config.kind](plan.request)
