"""The candidates of a day's requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.features.frames.frame import Array, Frame, Lists
from pipeline.features.ids.fingerprints import Codes


@dataclass(frozen=True)
class DayItems:
    """Which candidates each request has, what they are, and which of them are positive.

    Attributes:
        offsets: int64 ``[requests + 1]`` pairs of each request, best candidate first.
        pair_item: int32 ``[pairs]`` row of the item.
        key, raw: ``[items]`` code and raw id of each item.
        label: int8 ``[pairs, tasks]`` as in ``DayArrays``.
        roles: lists of codes by role, one row an item, where items have roles.
        frame: the items' own columns, where they have any.
    """

    offsets: NDArray[np.int64]
    pair_item: NDArray[np.int32]
    key: Codes
    raw: Array
    label: NDArray[np.int8]
    roles: Mapping[str, Lists] = field(default_factory=dict)
    frame: Frame = field(default_factory=lambda: Frame(0, {}))

    @cached_property
    def request(self) -> NDArray[np.int64]:
        """The request of each pair, ``[pairs]``."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
