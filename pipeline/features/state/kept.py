"""The feature state as a process keeps it from day to day, and last year's histories out of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import FIRST
from pipeline.features.frames.from_arrow import ranks
from pipeline.features.ids.idmap import IdMap
from pipeline.features.state.store import StateStore
from pipeline.job import JobContext


class _States(dict[str, StateStore]):
    """State stores by purpose."""


class _Ranks(dict[str, tuple[int, NDArray[Any]]]):
    """By id space the size of its map, and the place of each index in the order of raw ids."""


def states_of(context: JobContext, purpose: str = "days") -> StateStore:
    """The state store of this process; one a purpose, as each keeps the state of the day it was last asked for."""
    stores = context.kept(_States, _States)
    if purpose not in stores:
        stores[purpose] = StateStore(context.store, context.config)
    return stores[purpose]


def key_ranks(context: JobContext, id_map: IdMap) -> NDArray[np.int64]:
    """The place of each index of a map in the order of raw ids, ``[size]``; kept until the map grows."""
    known = context.kept(_Ranks, _Ranks)
    if id_map.space not in known or known[id_map.space][0] != id_map.size:
        place = np.zeros(id_map.size, np.int64)
        place[FIRST:] = ranks(id_map.ids)
        known[id_map.space] = (id_map.size, place)
    return known[id_map.space][1]


