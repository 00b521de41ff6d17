"""Groups of requests that a test tells apart: those that a day's features name, and those by what was taken."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.schema import DayArrays
from pipeline.features.arrays import files
from pipeline.storage.artifacts.artifact import Artifact


def groups_of(features: Artifact, arrays: DayArrays, several: Mapping[str, str]) -> dict[str, NDArray[np.bool_]]:
    """By name, which requests are of a group, ``[requests]``.

    Args:
        several: by group, the bag of the item of which what was taken has more than one value.
    """
    found = files.groups(features)
    for name, bag in several.items():
        found[name] = took_several(arrays, bag)
    return found


def took_several(arrays: DayArrays, bag: str) -> NDArray[np.bool_]:
    """Whether something positive of each request has more than one value in a bag of the item, ``[requests]``."""
    place = arrays.layout.item_ids.get(bag)
    if place is None:  # of days that were built before the bag was declared
        return np.zeros(arrays.requests, np.bool_)
    many = (np.asarray(arrays.item_ids[:, place.start : place.stop]) > 0).sum(axis=1) > 1
    request = np.repeat(np.arange(arrays.requests), np.diff(arrays.offsets))
    taken = (arrays.label[:, 0] == 1) & many[arrays.pair_item]
    return np.bincount(request[taken], minlength=arrays.requests) > 0
