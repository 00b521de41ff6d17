"""A day's arrays as the raw inputs of an exported model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import PADDING, Columns, DayArrays, Feature
from pipeline.features.ids.idmap import IdMap


def model_inputs(
    features: Iterable[Feature], arrays: DayArrays, maps: Mapping[str, IdMap]
) -> dict[str, NDArray[Any]]:
    """Arrays in indices as the exported model's inputs in raw ids; candidates beyond a request's own are padding."""
    counts = np.diff(arrays.offsets)
    width = int(counts.max(initial=1))
    inside = np.arange(width) < counts[:, None]
    pair = np.where(inside, arrays.offsets[:-1, None] + np.arange(width), 0)
    item = arrays.pair_item[pair]
    layout = arrays.layout
    sources: tuple[tuple[Mapping[str, Columns], NDArray[Any], NDArray[Any] | None], ...] = (
        (layout.request_ids, arrays.request_ids, None),
        (layout.request_dense, arrays.request_dense, None),
        (layout.item_ids, arrays.item_ids, item),
        (layout.item_dense, arrays.item_dense, item),
        (layout.pair_dense, arrays.pair_dense, pair),
    )
    inputs: dict[str, NDArray[Any]] = {}
    for feature in features:
        places, matrix, rows = next(source for source in sources if feature.name in source[0])
        place = places[feature.name]
        values = matrix[:, place.start : place.stop]
        values = values[rows] if rows is not None else values
        values = np.array(values.reshape(*values.shape[:-1], *place.shape))
        if rows is not None:
            values[~inside] = PADDING if feature.has_ids else np.nan
        inputs[feature.name] = maps[str(feature.space)].raw(values) if feature.has_ids else values.astype(np.float32)
    return inputs
