"""What a day adds to the feature state: its events, in indices, in canonical order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.features.frames.frame import Lists


@dataclass(frozen=True)
class HistoryRows:
    """The day's additions to histories, one row per owner (ranking) or per clicked impression (impressions).

    Attributes:
        owner: int64 ``[rows]`` packed owner key (see ``packing.pack``).
        parts: by part name (``chapters``, ``sections``, ``styles``; ``items``, …) the row's index lists.
        groups: int64 ``[rows]`` key of the owner's group for last year's history (``packing.fingerprint`` of the
            matched columns); empty without one.
        own: int64 ``[rows]`` key of the row's class and edition, for ``own_class_first``; empty without it.
    """

    owner: NDArray[np.int64]
    parts: Mapping[str, Lists]
    groups: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    own: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True)
class Events:
    """One day's events.

    Attributes:
        keys: int32 ``[events]`` index by feature name, for every feature that is part of a counter's key.
        label: int8 ``[events]``, 1 positive; a homework set is an event with label 1.
        history: additions to histories.
        catalogue_keys: int32 ``[packages]`` index of packages seen or listed on the day (ranking), of items shown
            (impressions); a key may recur.
        catalogue_taken: int32 ``[packages]`` how often each was taken on the day, 0 = only listed.
        catalogue: their attributes by name (``chapters``, ``sections``: index lists; ``style``, ``reflect``: lists of
            one
            or none).
        latest_keys: int64 ``[rows]`` packed (owner, section) of study rows of the day; ``latest``: float32 ``[rows,
            values]``.
        style_counts: the day's style counts, one row an (owner, style) with the parts ``styles`` and ``counts``; none
            where no feature is made of them.
    """

    day: Day
    keys: Mapping[str, NDArray[np.int32]]
    label: NDArray[np.int8]
    history: HistoryRows
    catalogue_keys: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    catalogue_taken: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    catalogue: Mapping[str, Lists] = field(default_factory=dict)
    latest_keys: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    latest: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    style_counts: HistoryRows | None = None
