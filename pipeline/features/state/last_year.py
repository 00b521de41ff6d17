"""Last year's homework of similar classes: it stands in for those who have no history of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import PADDING, Codes, are_known, key_of
from pipeline.features.state.events import HistoryRows


def last_year_days(day: Day, length: int, years: int = 1) -> list[list[Day]]:
    """Of each of the ``length`` days before ``day``, oldest first, the same date one to ``years`` years earlier.

    29 February reads 28 February, so that a date can stand for two days of a window.
    """
    window = [day.plus(back - length) for back in range(length)]
    return [[each.year_before(years_back) for years_back in range(1, years + 1)] for each in window]


def last_year_windows(
    slots: Sequence[Sequence[HistoryRows]],
    wanted: NDArray[np.int64],
    ranks: Mapping[str, Callable[[Codes], NDArray[np.int64]]],
    *,
    values: int,
    by: Literal["groups", "own"] = "groups",
) -> dict[str, Codes]:
    """The most frequent ids of each day of the window, by group.

    An id counts once for each class and day that has it; equal counts are ordered by raw key.

    Args:
        slots: for each day of the window, oldest first, the rows of its days of earlier years (none = no data).
        wanted: int64 ``[groups]`` distinct keys, of ``HistoryRows.groups`` or ``HistoryRows.own`` as ``by`` says.
        ranks: by part, the place of ids in the order of raw keys, by their codes.
        values: ids kept a day.

    Returns:
        By part, codes ``[groups, days, values]``, most frequent first, then padding.
    """
    order = np.argsort(wanted)
    ascending = wanted[order]
    out = {part: np.full((len(wanted), len(slots), values), PADDING, np.int64) for part in ranks}
    if not len(wanted):
        return out
    for slot, days in enumerate(slots):
        found = [(rows, *_matching(rows.groups if by == "groups" else rows.own, ascending)) for rows in days]
        for part, rank in ranks.items():
            counted = [
                _distinct(rows.parts[part].take(at), key_of(*(each[at] for each in rows.owner)), group)
                for rows, at, group in found
            ]
            if counted:
                group = np.concatenate([each[0] for each in counted])
                ids = np.concatenate([each[1] for each in counted])
                _place(out[part], slot, order, group, ids, rank)
    return out


def own_first(
    own: Mapping[str, Codes], group: Mapping[str, Codes]
) -> dict[str, Codes]:
    """Row by row ``[rows, days, values]``: a class's own history where any part of it holds an id, else its group's."""
    has_own = np.any([(windows != PADDING).any(axis=(1, 2)) for windows in own.values()], axis=0)
    return {part: np.where(has_own[:, None, None], own[part], windows) for part, windows in group.items()}


def _matching(keys: NDArray[np.int64], ascending: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows whose key is wanted, and the place of that key."""
    place = np.minimum(np.searchsorted(ascending, keys), len(ascending) - 1)
    rows = np.flatnonzero(ascending[place] == keys)
    return rows, place[rows]


def _distinct(
    lists: Lists, owner: NDArray[np.int64], group: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Group and id of each distinct (owner, id), known ids only."""
    ids = lists.values
    group, owner = np.repeat(group, lists.lengths), np.repeat(owner, lists.lengths)
    order = np.lexsort((ids, owner, group))
    group, owner, ids = group[order], owner[order], ids[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (group[1:] != group[:-1]) | (owner[1:] != owner[:-1]) | (ids[1:] != ids[:-1])
    first &= are_known(ids)
    return group[first], ids[first]


def _place(
    windows: Codes,
    slot: int,
    order: NDArray[np.int64],
    group: NDArray[np.int64],
    ids: Codes,
    rank: Callable[[Codes], NDArray[np.int64]],
) -> None:
    """Write each group's most frequent ids into ``windows[:, slot]``."""
    if not len(ids):
        return
    in_order = np.lexsort((ids, group))
    group, ids = group[in_order], ids[in_order]
    new = np.flatnonzero(np.concatenate([[True], (group[1:] != group[:-1]) | (ids[1:] != ids[:-1])]))
    count = np.diff(new, append=len(ids))
    group, ids = group[new], ids[new]
    best = np.lexsort((rank(ids), -count, group))
    group, ids = group[best], ids[best]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    place = np.arange(len(group)) - np.repeat(starts, np.diff(starts, append=len(group)))
    kept = place < windows.shape[2]
    windows[order[group[kept]], slot, place[kept]] = ids[kept]
