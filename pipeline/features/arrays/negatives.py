"""What could have stood in a step of a history instead, drawn on the day of the step from the rows of that day."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipeline.config.negatives import Negatives
from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import Codes, key_of

NONE = -1
"""In place of what there is nothing to draw for."""
Places = NDArray[np.int64]


@dataclass(frozen=True)
class OwnPlaces:
    """Some of the places that can be drawn, by owner: each once, ascending.

    Attributes:
        owners: keys of the owners, ascending.
        offsets: int64 ``[owners + 1]``: owner ``i`` has ``places[offsets[i]:offsets[i + 1]]``.
    """

    owners: Codes
    offsets: NDArray[np.int64]
    places: Places

    @classmethod
    def of(cls, owners: Codes, owner: Codes, place: Places, *, but: Self | None = None) -> Self:
        """Those of ``owners`` (ascending) among some pairs of an owner and a place, without those of ``but``."""
        most = int(place.max(initial=-1)) + 1
        if but is not None:
            most = max(most, int(but.places.max(initial=-1)) + 1)
        group = np.searchsorted(owners, owner)
        own = np.isin(owner, owners)
        pairs = np.unique(group[own] * most + place[own])
        if but is not None:
            pairs = np.setdiff1d(pairs, but.owner_of_each * most + but.places, assume_unique=True)
        offsets = np.searchsorted(pairs, np.arange(len(owners) + 1) * most)
        return cls(owners, offsets.astype(np.int64), pairs % max(most, 1))

    @property
    def owner_of_each(self) -> NDArray[np.int64]:
        """Of each of the places the owner's number."""
        return np.repeat(np.arange(len(self.owners)), np.diff(self.offsets))


@dataclass(frozen=True)
class Shown:
    """What was shown on a day, row by row.

    Attributes:
        owner: ``[rows]`` keys.
        place: int64 ``[rows]``.
        of_steps: int64 ``[steps]`` the rows that are steps of histories.
        places: bool ``[places]`` which can be drawn.
    """

    owner: Codes
    place: Places
    of_steps: NDArray[np.int64]
    places: NDArray[np.bool_]

    def drawn(self, settings: Negatives, chance: NDArray[np.float64]) -> tuple[Places, dict[str, int]]:
        """For each step, places that no step of its owner is of; and what was counted.

        Args:
            chance: ``[steps, count]``.
        """
        steps, of_steps, weights = self.owner[self.of_steps], self.place[self.of_steps], self.places.astype(np.int64)
        if settings.taken_from == "popularity":
            weights = weights * np.bincount(of_steps, minlength=len(weights))
        owners = np.unique(steps)
        taken = OwnPlaces.of(owners, steps, of_steps)
        found, counts = drawn(weights, steps, taken, chance), {}
        if settings.taken_from == "shown":
            can = self.places[self.place]
            own = drawn_of_own(steps, OwnPlaces.of(owners, self.owner[can], self.place[can], but=taken), chance)
            counts["steps_without_shown_negatives"] = int((own[:, 0] == NONE).sum())
            found = np.where(own == NONE, found, own)
        return found, counts | {"steps_without_negatives": int((found[:, 0] == NONE).sum())}


def chances(job: str, day: Day, owner: Codes, count: int) -> NDArray[np.float64]:
    """Numbers from [0, 1), ``[steps, count]``: a function of job, day, owner, and of the step's number among his."""
    digest = hashlib.blake2b(f"negatives\x1f{job}\x1f{day}".encode(), digest_size=8).digest()
    order = np.argsort(owner, kind="stable")
    new = np.concatenate([[True], owner[order][1:] != owner[order][:-1]]) if len(order) else np.zeros(0, bool)
    number = np.empty(len(owner), np.int64)
    number[order] = np.arange(len(order)) - np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    words = key_of(
        np.frombuffer(digest, np.int64), owner[:, None], number[:, None], np.arange(count, dtype=np.int64)
    )
    return np.asarray((words.view(np.uint64) >> np.uint64(11)) * 2.0**-53)


def drawn(weights: NDArray[np.int64], owner: Codes, taken: OwnPlaces, chance: NDArray[np.float64]) -> Places:
    """Places by their weight, without those that the owner has taken; ``NONE`` where he has taken all.

    Args:
        weights: int64 ``[places]``.
        owner: ``[steps]`` keys, among the owners of ``taken``.
        chance: ``[steps, count]``.

    Returns:
        int64 ``[steps, count]``.
    """
    ends = np.cumsum(weights)
    total = int(ends[-1]) if len(ends) else 0
    # What is taken is cut out of the line of all weights: a point behind it is as far back as what was cut before it.
    cut = weights[taken.places]
    cut_before = np.concatenate([[0], np.cumsum(cut)])
    own_cut, of_place = cut_before[taken.offsets], taken.owner_of_each
    starts = ends[taken.places] - cut - (cut_before[:-1] - own_cut[of_place])
    line = of_place * (total + 1) + starts
    group = np.searchsorted(taken.owners, owner)
    left = total - np.diff(own_cut)[group] if len(group) else np.zeros(0, np.int64)
    point = np.minimum((chance * left[:, None]).astype(np.int64), left[:, None] - 1)
    passed = np.searchsorted(line, group[:, None] * (total + 1) + point, side="right")
    shifted = point + cut_before[passed] - own_cut[group][:, None]
    places = np.searchsorted(ends, shifted, side="right")
    return np.where(left[:, None] > 0, places, NONE)


def drawn_of_own(owner: Codes, shown: OwnPlaces, chance: NDArray[np.float64]) -> Places:
    """Places among the owner's own, each alike; ``NONE`` where he has none."""
    group = np.searchsorted(shown.owners, owner)
    many = np.diff(shown.offsets)[group][:, None] if len(group) else np.zeros((0, 1), np.int64)
    place = shown.offsets[group][:, None] + np.minimum((chance * many).astype(np.int64), many - 1)
    found = np.append(shown.places, NONE)
    return np.where(many > 0, found[np.minimum(place, len(shown.places))], NONE)


def one_each(values: Codes) -> Lists:
    """A list a step of what was drawn for it, ``[steps, count]``."""
    steps, count = values.shape
    return Lists(np.arange(steps + 1, dtype=np.int64) * count, values.ravel())
