"""Values so far from all others that they would rule a column's statistics: found, and bounded, before they enter.

A mean, a variance and a range have no defence: one 3.4e38 among 120,000 values makes all others the same number to
the model, for good. What is wild is told by gaps. Sorted by distance from the median, the values of any measured
quantity, a heavy-tailed one too, come without holes in their outer part; a value behind a hole of ``GAP`` times the
distance of all values before it is of another kind: a sentinel, another unit, an overflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

GAP = 100.0
"""So many times further from the median than every value before it, a value is wild …"""
GAP_SHARE = 0.05
"""… if it is one of few: a larger share is a part of the column."""
EVIDENCE = 30
"""Fewer different values do not show how far a column reaches; then, and for any share below half, ``GAP_SURE``."""
GAP_SURE = 1e6
"""So many times further than all others, or than 1 where the others are nearer, is no measured value."""
ANEW = 100
"""Statistics whose spread is ``GAP`` times the reach of a day with so many different values are of wild values."""


@dataclass(frozen=True)
class Bounded:
    """A day's values as they may enter the statistics.

    Attributes:
        values: as given where nothing is wild; a wild value is replaced by the nearest of the others.
        wild: how many were replaced, by column.
        known: finite values, by column.
        furthest: the replaced value furthest away, by column; 0 where none was.
        anew: columns whose past statistics are those of wild values, so that they begin anew.
    """

    values: NDArray[np.float32]
    wild: NDArray[np.int64]
    known: NDArray[np.int64]
    furthest: NDArray[np.float64]
    anew: NDArray[np.bool_]

    def record(self) -> dict[str, Any]:
        """What a day's manifest says of a feature, all of its columns together."""
        return {
            "wild": int(self.wild.sum()), "known": int(self.known.sum()),
            "furthest": float(self.furthest[np.argmax(np.abs(self.furthest))]), "anew": bool(self.anew.any()),
        }  # fmt: skip


@dataclass(frozen=True)
class Past:
    """What the days before say of a column.

    Attributes:
        count: of its values; 0 where they were all the same, which shows no reach.
    """

    count: float
    mean: float
    lowest: float
    highest: float
    spread: float

    def reach(self, centre: float) -> float:
        """How far from ``centre`` its values lie."""
        return max(abs(self.highest - centre), abs(self.lowest - centre)) if self.count else 0.0


UNKNOWN = Past(0.0, 0.0, 0.0, 0.0, 0.0)


def bounded(values: NDArray[np.float32], past: list[Past]) -> Bounded:
    """Bound the wild ones of ``[rows, size]`` values; their order says nothing.

    Args:
        past: of each column.
    """
    size = values.shape[1]
    out = values
    wild, known = np.zeros(size, np.int64), np.zeros(size, np.int64)
    furthest, anew = np.zeros(size, np.float64), np.zeros(size, np.bool_)
    for place in range(size):
        column = values[:, place]
        finite = np.isfinite(column)
        here = column[finite].astype(np.float64)
        known[place] = len(here)
        if not len(here):
            continue
        before = past[place]
        if before.count and _is_of_wild_values(here, before):
            anew[place], before = True, UNKNOWN
        centre, limit = _limit(here, before)
        distance = np.abs(here - centre)
        beyond = distance > limit
        wild[place] = np.count_nonzero(beyond)
        if not wild[place]:
            continue
        furthest[place] = here[beyond][np.argmax(distance[beyond])]
        rest = here[~beyond]
        lowest, highest = (rest.min(), rest.max()) if len(rest) else (before.lowest, before.highest)
        if out is values:
            out = values.copy()
        # Only what is wild is written: the others stay bit for bit.
        out[np.flatnonzero(finite)[beyond], place] = np.clip(here[beyond], lowest, highest)
    return Bounded(out, wild, known, furthest, anew)


def _limit(here: NDArray[np.float64], past: Past) -> tuple[float, float]:
    """The centre of a column, and the distance from it beyond which values are wild."""
    if len(here) < EVIDENCE <= past.count:
        # Too few to judge one another: the days before do.
        return past.mean, GAP_SURE * max(past.reach(past.mean), abs(past.mean), 1.0)
    centre = float(np.partition(here, (len(here) - 1) // 2)[(len(here) - 1) // 2])
    distance = np.abs(here - centre)
    reach, middle = past.reach(centre), (len(here) - 1) // 2
    nearest = max(float(np.partition(distance, middle)[middle]), reach)
    if distance.max() <= GAP * nearest:
        return centre, np.inf
    ordered = np.sort(distance)
    # Of each value of the outer half: how far the column reaches up to it, and on how much evidence.
    reached = np.maximum(ordered[middle:-1], reach)
    following = ordered[middle + 1 :]
    inner = np.arange(middle + 1, len(here))
    evidence = inner - np.count_nonzero(ordered == 0.0) + past.count
    few = len(here) - inner <= GAP_SHARE * len(here)
    gap = (following > GAP * reached) & (evidence >= EVIDENCE) & few
    sure = following > GAP_SURE * np.maximum(reached, max(abs(centre), 1.0))
    places = np.flatnonzero(gap | sure)
    return centre, float(reached[places[0]]) if len(places) else np.inf


def _is_of_wild_values(here: NDArray[np.float64], past: Past) -> bool:
    """Whether the statistics hide a column: written before wild values were bounded, they no longer mean its values."""
    centre, limit = _limit(here, UNKNOWN)
    distance = np.abs(here - centre)
    honest = distance[distance <= limit]
    different = np.count_nonzero(honest)
    return bool(different >= ANEW and past.spread > GAP * honest.max())
