"""What a day adds to the feature state: its events, by the codes of their ids, in canonical order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.state.bins import Tally

TIMES = "step.time"
"""The part of histories that is the moment of each step, in milliseconds since 1970; kept where a feature asks."""


@dataclass(frozen=True)
class HistoryRows:
    """The day's additions to histories, one row per owner (ranking) or per clicked impression (impressions).

    Attributes:
        owner: codes ``[rows]`` of each id of the owner's key.
        parts: by part name the row's lists of codes.
        groups: int64 ``[rows]`` key of the owner's group for last year's history (``codes.key_of`` the matched
            columns); empty without one.
        own: int64 ``[rows]`` key of what comes first of the group, by ``own_match``; empty without it.
    """

    owner: tuple[Codes, ...]
    parts: Mapping[str, Lists]
    groups: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    own: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True)
class Events:
    """One day's events.

    Attributes:
        keys: codes ``[events]`` by feature name, for every feature that is part of a counter's key.
        label: int8 ``[events]``, 1 positive; a homework set is an event with label 1.
        history: additions to histories.
        values: float32 ``[events]`` by what counters sum beside events; NaN where an event has none.
        bins: the events' numbers by feature that is a bin of one.
        bags: codes of the events' values, each once, by feature whose bags are counted, one list an event.
        catalogue_keys: codes ``[offered]`` of what was there to be offered on the day; a key may recur.
        catalogue_taken: int32 ``[offered]`` how often each was taken on the day, 0 = only listed.
        catalogue: their attributes by name, lists of codes.
        latest_keys: codes ``[rows]`` of owners and of what they are rated on; ``latest``: float32 ``[rows, values]`` of
            the day, which take the place of earlier ones.
        counts_by_id: the day's counts, one row an (owner, id), with ids and counts as parts; none where no feature is
            made of them.
        negatives: what could have stood in place of the additions to histories, a row an entry of these; none where
            nothing is drawn.
        counts: what was counted in drawing them; not kept.
    """

    day: Day
    keys: Mapping[str, Codes]
    label: NDArray[np.int8]
    history: HistoryRows
    catalogue_keys: Codes = field(default_factory=lambda: np.zeros(0, np.int64))
    catalogue_taken: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    catalogue: Mapping[str, Lists] = field(default_factory=dict)
    latest_keys: tuple[Codes, Codes] = field(default_factory=lambda: (np.zeros(0, np.int64), np.zeros(0, np.int64)))
    latest: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    counts_by_id: HistoryRows | None = None
    values: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    bags: Mapping[str, Lists] = field(default_factory=dict)
    bins: Mapping[str, Tally] = field(default_factory=dict)
    negatives: HistoryRows | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
