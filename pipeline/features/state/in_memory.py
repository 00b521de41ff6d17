"""The feature state as a process keeps it from day to day, and last year's histories out of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.schema import FIRST
from pipeline.features.frames.from_arrow import ranks
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.ids.idmap import IdMap
from pipeline.features.state.store import StateStore
from pipeline.job import JobContext


class _States(dict[str, StateStore]):
    """State stores by purpose."""


def states_of(context: JobContext, purpose: str = "days") -> StateStore:
    """The state store of this process; one a purpose, as each keeps the state of the day it was last asked for."""
    stores = context.kept(_States, _States)
    if purpose not in stores:
        stores[purpose] = StateStore(context.store, context.config)
    return stores[purpose]


class _Ranks(dict[str, tuple[int, NDArray[np.int64]]]):
    """By id space the size of its map, and the place of each index in the order of raw ids."""


def ranks_of(context: JobContext, id_map: IdMap) -> Callable[[Codes], NDArray[np.int64]]:
    """What orders codes of ids as their raw ids are ordered; kept until the map grows."""
    if id_map.kind == "int":
        return lambda codes: codes
    known = context.kept(_Ranks, _Ranks)
    if id_map.space not in known or known[id_map.space][0] != id_map.size:
        known[id_map.space] = (id_map.size, np.concatenate([np.zeros(FIRST, np.int64), ranks(id_map.ids)]))
    place = known[id_map.space][1]
    return lambda codes: place[id_map.index_of(codes)]
