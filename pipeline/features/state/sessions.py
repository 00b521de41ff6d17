"""Histories split into sessions: which entry stands in each step of each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.state.windows import GAP

_BLOCK = 8192


def of_days(days: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Whether each entry begins a session where one is a day's, ``[entries]``; ``days`` are their ordinals."""
    return np.diff(days, prepend=days[:1]) != 0


def of_gaps(times: NDArray[np.int64], minutes: float) -> NDArray[np.bool_]:
    """Whether each entry begins a session where one ends with a longer gap; ``times [entries]`` are milliseconds.

    Reference: Feng et al., Deep Session Interest Network for Click-Through Rate Prediction, 2019 (30 minutes).
    """
    return np.diff(times, prepend=times[:1]) > minutes * 60_000


def split_by(
    positions: NDArray[np.int64], begins: NDArray[np.bool_], most: int, steps: int, least: int
) -> NDArray[np.int64]:
    """Sessions of consecutive entries.

    Args:
        positions: ``[requests, slots]`` entries of each request, one after another, oldest first, then ``GAP``.
        begins: ``[entries]`` whether a session begins with it; one does with the first of a request in any case.
        most: sessions kept, the most recent ones.
        steps: kept of each session, the most recent ones.
        least: steps without which a session is none.

    Returns:
        int64 ``[requests, most, steps]``: sessions oldest first, steps oldest first, both then ``GAP``.
    """
    out = np.full((len(positions), most, steps), GAP, np.int64)
    for start in range(0, len(positions), _BLOCK):  # in pieces that stay in the processor's cache
        block = slice(start, min(start + _BLOCK, len(positions)))
        _split(positions[block], begins, least, out[block])
    return out


def _split(positions: NDArray[np.int64], begins: NDArray[np.bool_], least: int, out: NDArray[np.int64]) -> None:
    _, most, steps = out.shape
    row, column = np.nonzero(positions != GAP)
    if not len(row):
        return
    entry = positions[row, column]
    first = begins[entry]
    first[0] = True
    first[1:] |= row[1:] != row[:-1]
    session = np.cumsum(first) - 1
    starts = np.flatnonzero(first)
    sizes = np.diff(np.append(starts, len(row)))
    # Sessions that are long enough, numbered within their request.
    enough = sizes >= least
    owner = row[starts]
    counted = np.cumsum(enough)
    begin = np.searchsorted(owner, np.arange(len(positions)))
    before = np.append(0, counted)[begin]
    total = np.bincount(owner[enough], minlength=len(positions))
    place = counted - 1 - before[owner] - np.maximum(total[owner] - most, 0)
    step = np.arange(len(row)) - starts[session] - np.maximum(sizes - steps, 0)[session]
    kept = enough[session] & (place[session] >= 0) & (step >= 0)
    out[row[kept], place[session[kept]], step[kept]] = entry[kept]


def last_of(positions: NDArray[np.int64], enough: NDArray[np.bool_], most: int) -> NDArray[np.int64]:
    """The last entries of each request that are ``enough`` to be sessions by themselves.

    Args:
        positions: ``[requests, slots]``, oldest first, ``GAP`` anywhere.
        enough: ``[entries]``.

    Returns:
        int64 ``[requests, most]``, then ``GAP``.
    """
    there = np.append(enough, False)[positions]  # GAP = −1 is none
    counted = np.cumsum(there, axis=1)
    place = counted - 1 - np.maximum(counted[:, -1:] - most, 0)
    row, column = np.nonzero(there & (place >= 0))
    out = np.full((len(positions), most), GAP, np.int64)
    out[row, place[row, column]] = positions[row, column]
    return out
