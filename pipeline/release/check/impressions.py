"""A sample of the items that were shown lately, as raw inputs of the exported model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.arrays.framed import bag_widths
from pipeline.features.arrays.raw_values import raw_inputs
from pipeline.features.plan.impressions import ImpressionPlan
from pipeline.features.rows.impressions import item_frame
from pipeline.release.contents.as_of import AsOf


def sampled_items(here: AsOf, request: ImpressionPlan, most: int) -> tuple[dict[str, NDArray[Any]], int]:
    """Raw inputs of the features on the candidates' side for an even sample of all items; how many there are."""
    shown = here.state.catalogue.seen_since(here.day.plus(1 - request.settings.candidate_days))
    keys = here.raw(request.item_space, shown[:: max(1, -(-len(shown) // most))])
    frame = item_frame(request.settings, request.item_columns, here.tables, keys)
    chosen = request.features.of_frame("item")
    widths = bag_widths(here.plan, chosen, frame)
    found = raw_inputs(chosen, frame, here.plan.spaces, widths, here.day.next())
    return {name: np.asarray(values) for name, values in found.items()}, len(shown)
