"""What a day of labelled rows brings: the ids of its columns, and counts by them."""

from __future__ import annotations

import numpy as np

from pipeline.errors import DataError
from pipeline.features.arrays.growth import RequestGrowth
from pipeline.features.frames.frame import Array, Lists
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.labelled import LabelledPlan
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows
from pipeline.features.state.events import HistoryRows


class LabelledGrowth(RequestGrowth[DayRows]):
    """Growth of jobs of labelled rows; the plan has refused every feature of an item or of a history."""

    def __init__(self, plan: Plan, request: LabelledPlan) -> None:
        super().__init__(plan)

    def item_ids(self, planned: PlannedFeature, rows: DayRows) -> Array:
        raise no_item(planned)

    def history_ids(self, planned: PlannedFeature, rows: DayRows) -> Array:
        raise no_item(planned)

    def item_codes(self, planned: PlannedFeature, rows: DayRows) -> Codes:
        raise no_item(planned)

    def history(self, rows: DayRows) -> HistoryRows:
        return HistoryRows((np.zeros(0, np.int64),), {})

    def catalogue(self, rows: DayRows) -> tuple[Codes, dict[str, Lists]]:
        return np.zeros(0, np.int64), {}


def no_item(planned: PlannedFeature) -> DataError:
    """What a feature says that no labelled row can have."""
    return DataError(f"feature '{planned.name}': labelled rows have neither items nor histories")
