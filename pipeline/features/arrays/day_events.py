"""What a day's rows add to the feature state."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import Side
from pipeline.config.features import ABOVE_0
from pipeline.features.arrays.feature_codes import frame_codes
from pipeline.features.arrays.growth import RequestGrowth
from pipeline.features.arrays.kinds import growth_of
from pipeline.features.arrays.raw_values import number_of
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows
from pipeline.features.rows.row_values import row_values
from pipeline.features.state.bins import Tally
from pipeline.features.state.events import Events
from pipeline.features.state.histories import distinct_values


def events_of(plan: Plan, rows: DayRows) -> Events:
    """The day's events, by the codes of their ids."""
    growth = growth_of(plan)
    catalogue_keys, catalogue = growth.catalogue(rows)
    latest_keys, latest = growth.latest(rows)
    negatives, counts = growth.negatives(rows)
    return Events(
        day=rows.day,
        keys={name: _event_codes(growth, name, rows) for name in plan.key_features},
        label=rows.label,
        values={name: _event_values(plan, name, rows) for name in plan.counted},
        bags={name: _event_bags(growth, name, rows) for name in plan.bag_features},
        bins={name: Tally.of(number_of(plan.features[name], rows.events, rows.day)) for name in plan.bins},
        history=growth.history(rows),
        catalogue_keys=catalogue_keys,
        catalogue_taken=np.ones(len(catalogue_keys), np.int32),
        catalogue=catalogue,
        latest_keys=latest_keys,
        latest=latest,
        counts_by_id=growth.counts_by_id(rows),
        negatives=negatives,
        counts=counts,
    )


def _event_codes(growth: RequestGrowth[Any], name: str, rows: DayRows) -> Codes:
    """The code of a feature at each event."""
    planned = growth.plan.features[name]
    if planned.feature.side is Side.ITEM:
        return growth.item_codes(planned, rows)[rows.event_item]
    return frame_codes(growth.plan, planned, rows.events)


def _event_values(plan: Plan, name: str, rows: DayRows) -> NDArray[np.float32]:
    """What is summed at each event: a value, or whether it is above 0; NaN where there is none."""
    values = row_values(plan.config.values[name.removesuffix(ABOVE_0)], rows.events)
    if not name.endswith(ABOVE_0):
        return values
    return np.where(np.isnan(values), values, values > 0).astype(np.float32)


def _event_bags(growth: RequestGrowth[Any], name: str, rows: DayRows) -> Lists:
    """The codes of a bag's values at each event, each once."""
    return distinct_values(growth.item_bags(growth.plan.features[name], rows).take(rows.event_item))
