"""What users were shown on earlier days, and what came of it: effects that only a history of all of it can tell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from examples.school.audience import CATEGORIES, HISTORY, Audience
from examples.school.options import Options

_EXPOSED, _TURN, _WATCHED = 1.0, 2.0, 2.0  # log-odds
LONGER = 3
"""How many times as long a user looks at ads of the categories that he watches."""


class Seen:
    """The last exposures of each user, of earlier days alone, and what they do to his next click.

    Args:
        watched: categories that each user watches, ``[users, 4]``.
    """

    def __init__(self, options: Options, audience: Audience) -> None:
        self._effects = audience.effects
        self._category, self._location = audience.ads.labels[:, 0], audience.ads.location
        self.watched = options.random("watched categories").integers(1, CATEGORIES + 1, (options.users, 4))
        self._last = np.full((options.users, HISTORY), -1)  # oldest first: 2 · ad + click; -1 for none

    def longer(self, user: NDArray[np.int64], ad: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many times as long as others each user looks at an ad, ``[rows]``."""
        likes = (self.watched[user] == self._category[ad][:, None]).any(axis=1)
        return np.where(likes & ("watching" in self._effects), LONGER, 1)

    def log_odds(self, user: NDArray[np.int64], ad: NDArray[np.int64]) -> NDArray[np.float64]:
        """What the effects add to the log-odds of a click on each ad, ``[rows]``."""
        total = np.zeros(len(user))
        last = self._last[user]
        came = np.where(last < 0, 0, 2 * (last % 2) - 1)  # 1 clicked, -1 not
        if "exposures" in self._effects:
            alike = (last >= 0) & (self._location[last // 2] == self._location[ad][:, None])
            total += _EXPOSED * np.sign((came * alike).sum(axis=1))
        if "turns" in self._effects:
            total += _TURN * np.where(last[:, -2] >= 0, came[:, -1] - came[:, -2], 0) / 2
        if "watching" in self._effects:
            total += _WATCHED * (self.longer(user, ad) == LONGER)
        return total

    def remember(self, user: NDArray[np.int64], ad: NDArray[np.int64], click: NDArray[np.bool_]) -> None:
        """Goes on to the next day, after exposures in order of time."""
        self._last = appended(self._last, user, 2 * ad + click)


def appended(recent: NDArray[np.int64], owner: NDArray[np.int64], value: NDArray[np.int64]) -> NDArray[np.int64]:
    """The last values of each owner (right-aligned, -1 on the left) after new ones, given in order of time.

    >>> appended(np.array([[-1, 7], [5, 6]]), np.array([1, 1, 1]), np.array([1, 2, 3])).tolist()
    [[-1, 7], [2, 3]]
    """
    width = recent.shape[1]
    order = np.argsort(owner, kind="stable")
    owner, value = owner[order], value[order]
    owners, begins, counts = np.unique(owner, return_index=True, return_counts=True)
    from_end = np.repeat(begins + counts, counts) - 1 - np.arange(len(owner))
    kept = from_end < width
    shift = np.minimum(counts, width)
    source = np.arange(width) + shift[:, None]
    moved = np.take_along_axis(recent[owners], np.minimum(source, width - 1), axis=1)
    result = recent.copy()
    result[owners] = np.where(source < width, moved, -1)
    result[owner[kept], width - 1 - from_end[kept]] = value[kept]
    return result
