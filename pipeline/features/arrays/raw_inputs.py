"""What was assembled in raw ids as the inputs of an exported model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import Feature, Side
from pipeline.features.arrays.assemble import Assembled
from pipeline.features.arrays.look_up import LookUp


def model_inputs(features: Iterable[Feature], found: Assembled, look: LookUp) -> dict[str, NDArray[Any]]:
    """The model's inputs, ``[requests, …]`` and ``[requests, candidates, …]``.

    Candidates beyond a request's own are padding.
    """
    offsets = found.items.offsets
    if len(offsets) == 2:
        return _of_one_request(features, found)
    counts = np.diff(offsets)
    width = int(counts.max(initial=1))
    inside = np.arange(width) < counts[:, None]
    pair = np.where(inside, offsets[:-1, None] + np.arange(width), 0)
    item = found.items.pair_item[pair]
    inputs: dict[str, NDArray[Any]] = {}
    for feature in features:
        values = found.values[feature.name]
        if not feature.has_ids:
            values = values.reshape(len(values), feature.size).astype(np.float32)
        if feature.side is not Side.REQUEST:
            values = values[item if feature.side is Side.ITEM else pair]
            values[~inside] = look.padding(str(feature.space)) if feature.has_ids else np.nan
        inputs[feature.name] = values
    return inputs


def _of_one_request(features: Iterable[Feature], found: Assembled) -> dict[str, NDArray[Any]]:
    """The inputs of one request, which has no padding."""
    own = found.candidates.of_one_request
    inputs: dict[str, NDArray[Any]] = {}
    for feature in features:
        if feature.name in own:
            inputs[feature.name] = own[feature.name]
            continue
        values = found.values[feature.name]
        if feature.side is Side.ITEM:
            values = values[found.items.pair_item]
        if not feature.has_ids:
            values = values.reshape(len(values), feature.size).astype(np.float32, copy=False)
        inputs[feature.name] = values if feature.side is Side.REQUEST else values[None]
    return inputs
