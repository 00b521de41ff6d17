"""The packages that a request may be answered with: of its chapters, best first, at most so many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.features.arrays.indices import Maps, role_index
from pipeline.features.frames.frame import Lists
from pipeline.features.frames.from_arrow import lists_of, ranks
from pipeline.features.ids.idmap import IdMap
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.candidate_table import Listed
from pipeline.features.state.state import FeatureState


@dataclass(frozen=True)
class Pool:
    """Every package there is, found by chapter.

    Attributes:
        keys: int32 ``[packages]`` index of each package.
        roles: by role its index lists (``key`` is not among them), one row a package.
        chapters: int64 ascending, index of each chapter that has packages.
        members: for each of them, its packages (rows of ``keys``).
        order: int64 ``[packages]`` place of each package: lower is better, ties broken by key.
    """

    keys: NDArray[np.int32]
    roles: Mapping[str, Lists]
    chapters: NDArray[np.int64]
    members: Lists
    order: NDArray[np.int64]

    @classmethod
    def of(cls, keys: NDArray[np.int32], roles: Mapping[str, Lists], chapters: Lists, order: NDArray[np.int64]) -> Pool:
        """The pool of packages with their chapters and places."""
        package = np.repeat(np.arange(len(keys)), chapters.lengths)
        by_chapter = np.lexsort((order[package], chapters.values))
        chapter = chapters.values[by_chapter].astype(np.int64)
        starts = np.flatnonzero(np.r_[True, chapter[1:] != chapter[:-1]]) if len(chapter) else np.zeros(0, np.int64)
        offsets = np.r_[starts, len(chapter)].astype(np.int64)
        return cls(keys, roles, chapter[starts], Lists(offsets, package[by_chapter]), order)

    def find(self, chapters: Lists, limit: int) -> Lists:
        """The candidates (rows of ``keys``) of requests with the given chapters, best first.

        Args:
            chapters: each request's chapters in indices.
            limit: most candidates a request.
        """
        request = np.repeat(np.arange(len(chapters)), chapters.lengths)
        wanted = chapters.values.astype(np.int64)
        at = np.searchsorted(self.chapters, wanted)
        at[at == len(self.chapters)] = 0
        known = self.chapters[at] == wanted if len(self.chapters) else np.zeros(len(wanted), bool)
        found = self.members.take(at[known])
        request = np.repeat(request[known], found.lengths)
        if (chapters.lengths > 1).any():
            request, values = self._merged(request, found.values)
        else:
            values = found.values
        offsets = np.zeros(len(chapters) + 1, np.int64)
        np.cumsum(np.bincount(request, minlength=len(chapters)), out=offsets[1:])
        return first_values(Lists(offsets, values), limit)

    def _merged(
        self, request: NDArray[np.int64], package: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Candidates of several chapters in one list, each package once."""
        order = np.lexsort((self.order[package], request))
        request, package = request[order], package[order]
        first = np.ones(len(order), bool)
        first[1:] = (request[1:] != request[:-1]) | (package[1:] != package[:-1])
        return request[first], package[first]


def first_values(lists: Lists, count: int) -> Lists:
    """Each list's first ``count`` values."""
    lengths = lists.lengths
    if not len(lengths) or lengths.max() <= count:
        return lists
    place = np.arange(len(lists.values)) - np.repeat(lists.offsets[:-1], lengths)
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(np.minimum(lengths, count), out=offsets[1:])
    return Lists(offsets, lists.values[place < count])


def listed_pool(plan: Plan, listed: Listed, maps: Maps) -> Pool:
    """The candidate table in indices."""
    roles = {role: role_index(plan, role, listed.packages.role(role), maps) for role in plan.roles}
    keys = roles.pop("key").values.astype(np.int32)
    return Pool.of(keys, roles, roles["chapters"], np.arange(len(keys)))


def seen_pool(plan: Plan, state: FeatureState, packages_map: IdMap) -> Pool:
    """The packages taken up to the state's day: most often first, ties by key."""
    keys, roles, counts = state.catalogue.all()
    place = ranks(packages_map.raw(keys))
    order = np.empty(len(keys), np.int64)
    order[np.lexsort((place, -counts))] = np.arange(len(keys))
    return Pool.of(keys, roles, roles["chapters"], order)


def request_chapters(plan: Plan, chapters: Lists, maps: Maps) -> Lists:
    """Chapters of requests in indices of the space in which packages' chapters are."""
    return role_index(plan, "chapters", lists_of(chapters), maps)
