"""What stands for an id in the arrays: its index, where a model is trained, or the id itself, where one is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.id_columns import type_of_ids
from models.schema import FIRST, PADDING, UNKNOWN
from pipeline.features.arrays.raw_values import list_ids
from pipeline.features.frames.frame import Array, Lists
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.ids.idmap import IdMap
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.plan import Plan
from pipeline.features.state.bins import bins_of

Maps = Mapping[str, IdMap]


class LookUp(Protocol):
    """From raw ids, and from the codes that the feature state holds, to what stands for them; all of any shape."""

    def of_raw(self, space: str, raw: Array) -> Array: ...

    def of_codes(self, space: str, codes: Codes) -> Array: ...

    def of_numbers(self, space: str, numbers: NDArray[np.float32], limits: NDArray[np.float32]) -> Array:
        """What stands for the bins that numbers are in, by the limits of these."""
        ...

    def raw(self, space: str, ids: Array) -> Array:
        """Raw ids of what stands for them."""
        ...

    def columns(self, space: str, codes: Codes) -> NDArray[np.int64]:
        """The column of each id in counts by id, in which those that were seen first come first; −1 of unknown ids."""
        ...

    def padding(self, space: str) -> Any: ...

    def unknown(self, space: str) -> Any: ...


class Indices:
    """A look-up of indices, each in a type as narrow as its map allows."""

    def __init__(self, maps: Maps) -> None:
        self.maps = maps

    def of_raw(self, space: str, raw: Array) -> Array:
        return self.maps[space].lookup(raw).astype(type_of_ids(self.maps[space].size), copy=False)

    def of_codes(self, space: str, codes: Codes) -> Array:
        return self.maps[space].index_of(codes).astype(type_of_ids(self.maps[space].size), copy=False)

    def of_numbers(self, space: str, numbers: NDArray[np.float32], limits: NDArray[np.float32]) -> Array:
        return self.of_raw(space, bins_of(numbers, limits))

    def raw(self, space: str, ids: Array) -> Array:
        return self.maps[space].raw(ids)

    def columns(self, space: str, codes: Codes) -> NDArray[np.int64]:
        return self.maps[space].index_of(codes).astype(np.int64) - FIRST

    def padding(self, space: str) -> int:
        return PADDING

    def unknown(self, space: str) -> int:
        return UNKNOWN


def made_ids(plan: Plan, planned: PlannedFeature, space: str, ids: Array, look: LookUp) -> Array:
    """What the feature's rule makes of ids of ``space``, of their shape: padding where it makes nothing of one."""
    own = planned.feature.space or ""
    distinct, place = np.unique(ids, return_inverse=True)
    there = np.flatnonzero((distinct != look.padding(space)) & (distinct != look.unknown(space)))
    one_each = Lists(np.arange(len(there) + 1, dtype=np.int64), look.raw(space, distinct[there]))
    made = list_ids(planned, one_each, plan.space_kind(own))
    found = look.of_raw(own, made.values)
    table: Array = np.full(len(distinct), look.padding(own), found.dtype)
    table[distinct == look.unknown(space)] = look.unknown(own)
    table[there[made.lengths > 0]] = found
    return table[place].reshape(ids.shape)
