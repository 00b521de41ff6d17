"""Windows of days behind a request, and gap fill: from entries by owner and day to ``[requests, days, values]``."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.state.histories import merged_values

GAP = -1
"""Position of a slot without an entry."""
_BLOCK = 8192


def window_positions(
    offsets: NDArray[np.int64],
    days: NDArray[np.integer[Any]],
    rows: NDArray[np.int64],
    day: Day | NDArray[np.integer[Any]],
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
        day: of all requests, or an ordinal for each, int32 ``[requests]``.

    Returns:
        int64 ``[requests, lead + length]``.
    """
    slots = lead + length
    first, end = _range(offsets, days, rows, day, slots if mode == "calendar" else None)
    if mode == "active":
        first = np.maximum(first, end - slots)
    # Where an entry stands: its own day (calendar) or its number (active), counted from the request's first slot.
    ordinal = day.ordinal if isinstance(day, Day) else day
    origin = first if mode == "active" else np.broadcast_to(ordinal, len(rows)) - slots
    positions = np.full((len(rows), slots), GAP, np.int64)
    for block in _blocks(len(rows)):
        counts = np.maximum(end[block] - first[block], 0)
        before = np.cumsum(counts) - counts
        entry = np.arange(int(counts.sum()), dtype=np.int64) + np.repeat(first[block] - before, counts)
        start = np.arange(len(counts), dtype=np.int64) * slots - origin[block]
        stands = entry if mode == "active" else days.take(entry)
        positions[block].reshape(-1)[stands + np.repeat(start, counts)] = entry
    return positions


def _blocks(requests: int) -> list[slice]:
    """Requests in pieces whose windows stay in the processor's cache."""
    return [slice(start, min(start + _BLOCK, requests)) for start in range(0, requests, _BLOCK)]


def _range(
    offsets: NDArray[np.int64],
    days: NDArray[np.integer[Any]],
    rows: NDArray[np.int64],
    day: Day | NDArray[np.integer[Any]],
    reach: int | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each request, its first entry within ``reach`` days before its day (``None`` = all) and the place behind its
    last entry before the day.
    """
    if isinstance(day, Day):
        end = _before(offsets, days, day.ordinal)
        return (offsets[:-1] if reach is None else _before(offsets, days, day.ordinal - reach))[rows], end[rows]
    owner = np.repeat(np.arange(len(offsets) - 1, dtype=np.int64), np.diff(offsets))
    keys, own = (owner << 32) | days, rows << 32
    first = offsets[rows] if reach is None else np.searchsorted(keys, own | np.maximum(day - reach, 0))
    return first, np.searchsorted(keys, own | day)


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


def sequence(lists: Lists, positions: NDArray[np.int64], padding: Any) -> NDArray[Any]:
    """``[requests, steps]``: the first value of each step's entry, for histories of one item a step."""
    return fill(lists, positions, 1, padding)[..., 0]


def carried(positions: NDArray[np.int64], days: int | None, *, lead: int = 0) -> NDArray[np.int64]:
    """Calendar windows with gaps filled by the last known day, over at most ``days`` missing days; ``None`` = all.

    The ``lead`` slots are drawn on and then cut off. The models' gap fill is a layer over the arrays; this is the same
    rule over positions, for looking at data.

    Returns:
        int64 ``[requests, length]``.
    """
    requests, slots = positions.shape
    reach = slots if days is None else min(days + 1, slots)
    out = np.empty((requests, slots - lead), np.int64)
    for block in _blocks(requests):
        # Positions ascend with the days, so the newest within reach is the greatest: a running maximum, by doubling.
        filled = positions[block].T.copy()
        done = 1
        while done < reach:
            step = min(done, reach - done)
            filled[step:] = np.maximum(filled[step:], filled[:-step])
            done += step
        out[block] = filled[lead:].T
    return out


def windows_of_rows(
    owner: NDArray[np.int64],
    day: NDArray[np.int32],
    lists: Lists,
    *,
    length: int,
    lead: int,
    forward: int | None,
    years: int,
    values: int,
    padding: Any,
) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[Any]]:
    """For each of many rows of any days: the filled calendar window before its day, and the day ``years`` · 365 before.

    Rows of one owner and day are one entry, the union of their values.

    Returns:
        The order of the rows by (owner, day), in which the others are; ``[rows, length, values]``; ``[rows, values]``.
    """
    if int(owner.max(initial=0)) >> 31:
        owner = np.unique(owner, return_inverse=True)[1]
    cell = (owner << 32) | day
    order = np.argsort(cell, kind="stable")
    cell = cell[order]
    windows = np.empty((len(order), length, values), lists.values.dtype)
    earlier = np.empty((len(order), values), lists.values.dtype)
    # Whole owners at a time, about as many rows as a block, so that a piece stays in the processor's cache.
    cuts = np.searchsorted(cell, np.append((cell[::_BLOCK] >> 32) << 32, np.iinfo(np.int64).max))
    for first, last in pairwise(np.unique(cuts)):
        piece = slice(first, last)
        rows, offsets, days, entries = _entries(cell[piece], lists.take(order[piece]), values)
        own_day = cell[piece] & 0xFFFFFFFF
        positions = window_positions(offsets, days, rows, own_day, length=length, lead=lead)
        windows[piece] = fill(entries, carried(positions, forward, lead=lead), values, padding)
        positions = window_positions(offsets, days, rows, own_day - 365 * years + 1, length=1)
        earlier[piece] = fill(entries, positions, values, padding)[:, 0]
    return order, windows, earlier


def _entries(
    cell: NDArray[np.int64], lists: Lists, most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], Lists]:
    """Rows ascending by owner and day as entries: the owner's number of each row; offsets, days and merged lists."""
    new = np.diff(cell, prepend=-1) != 0
    new_owner = np.diff(cell >> 32, prepend=-1) != 0
    entry = np.cumsum(new) - 1
    entries = int(new.sum())
    offsets = np.append(entry[new_owner], entries)
    return np.cumsum(new_owner) - 1, offsets, cell[new] & 0xFFFFFFFF, merged_values(lists, entry, entries, most)
