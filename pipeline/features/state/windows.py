"""Windows of days behind a request: from entries by owner and day to ``[requests, days, values]``."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.features.frames.frame import Lists

GAP = -1
"""Position of a slot without an entry."""
_BLOCK = 8192


def window_positions(
    offsets: NDArray[np.int64],
    days: NDArray[np.integer[Any]],
    rows: NDArray[np.int64],
    day: Day,
    *,
    length: int,
    lead: int = 0,
    mode: Literal["calendar", "active"] = "calendar",
) -> NDArray[np.int64]:
    """Which entry stands in each slot of each request's window; ``GAP`` where there is none.

    Calendar: slot ``j`` is the day ``day − (lead + length) + j``, so that the last slot is the day before. Active: the
    last ``lead + length`` entries, oldest first, then gaps up to the end; where the gaps stand has no meaning to a
    model, which masks them. Nothing dated ``day`` or later is ever taken.

    Args:
        offsets: int64 ``[owners + 1]`` entries of each owner, ascending by day; in calendar mode one a day.
        days: int32 ``[entries]`` ordinals.
        rows: int64 ``[requests]`` owner of each request.

    Returns:
        int64 ``[requests, lead + length]``.
    """
    slots = lead + length
    end = _before(offsets, days, day.ordinal)[rows]
    if mode == "active":
        first = np.maximum(offsets[rows], end - slots)
    else:
        first = _before(offsets, days, day.ordinal - slots)[rows]
    # Where an entry stands: its own day (calendar) or its number (active), counted from the request's first slot.
    origin = first if mode == "active" else np.full(len(rows), day.ordinal - slots)
    positions = np.full((len(rows), slots), GAP, np.int64)
    for block in _blocks(len(rows)):
        counts = np.maximum(end[block] - first[block], 0)
        before = np.cumsum(counts) - counts
        entry = np.arange(int(counts.sum()), dtype=np.int64) + np.repeat(first[block] - before, counts)
        start = np.arange(len(counts), dtype=np.int64) * slots - origin[block]
        stands = entry if mode == "active" else days.take(entry)
        positions[block].reshape(-1)[stands + np.repeat(start, counts)] = entry
    return positions


def chosen(positions: NDArray[np.int64], fits: NDArray[np.bool_], length: int) -> NDArray[np.int64]:
    """Of each window the last ``length`` entries that fit, oldest first, then gaps: ``[requests, length]``.

    Args:
        positions: int64 ``[requests, slots]``, oldest first.
        fits: bool ``[entries]``.
    """
    there = np.append(fits, False)[positions]  # GAP = −1 is the one at the end
    order = np.argsort(~there, axis=1, kind="stable")
    counts = there.sum(axis=1)[:, None]
    slots = np.maximum(counts - length, 0) + np.arange(length)
    found = np.take_along_axis(positions, np.take_along_axis(order, np.minimum(slots, order.shape[1] - 1), 1), 1)
    return np.where(slots < counts, found, GAP)


def _blocks(requests: int) -> list[slice]:
    """Requests in pieces whose windows stay in the processor's cache."""
    return [slice(start, min(start + _BLOCK, requests)) for start in range(0, requests, _BLOCK)]


def _before(offsets: NDArray[np.int64], days: NDArray[np.integer[Any]], ordinal: int) -> NDArray[np.int64]:
    """Of each owner, the place of its first entry on or after a day."""
    earlier = np.concatenate([[0], np.cumsum(days < ordinal)])
    return offsets[:-1] + earlier[offsets[1:]] - earlier[offsets[:-1]]


def fill(lists: Lists, positions: NDArray[np.int64], width: int, padding: Any) -> NDArray[Any]:
    """The first ``width`` values of each slot's entry, then ``padding``; gaps are all padding.

    For indices (training) and raw ids (serving) alike: any dtype.

    Returns:
        ``[requests, slots, width]``.
    """
    padded = np.full((len(lists) + 1, width), padding, lists.values.dtype)
    padded[:-1] = lists.padded(width, padding)
    return padded.take(positions, axis=0)  # GAP = −1 is the row of padding at the end
