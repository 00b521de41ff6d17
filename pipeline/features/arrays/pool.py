"""The packages that a request may be answered with: of its chapters, best first, at most so many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.features.arrays.look_up import LookUp
from pipeline.features.arrays.package_codes import role_codes
from pipeline.features.frames.frame import Lists
from pipeline.features.frames.from_arrow import ranks
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.candidate_table import Listed
from pipeline.features.state.state import FeatureState


@dataclass(frozen=True)
class Pool:
    """Every package there is, found by chapter.

    Attributes:
        keys: code ``[packages]`` of each package.
        roles: by role its lists of codes (``key`` is not among them), one row a package.
        chapters: ascending, code of each chapter that has packages.
        members: for each of them, its packages (rows of ``keys``).
        order: int64 ``[packages]`` place of each package: lower is better, ties broken by key.
    """

    keys: Codes
    roles: Mapping[str, Lists]
    chapters: Codes
    members: Lists
    order: NDArray[np.int64]

    @classmethod
    def of(cls, keys: Codes, roles: Mapping[str, Lists], chapters: Lists, order: NDArray[np.int64]) -> Pool:
        """The pool of packages with their chapters and places."""
        package = np.repeat(np.arange(len(keys)), chapters.lengths)
        by_chapter = np.lexsort((order[package], chapters.values))
        chapter = chapters.values[by_chapter]
        starts = np.flatnonzero(np.r_[True, chapter[1:] != chapter[:-1]]) if len(chapter) else np.zeros(0, np.int64)
        offsets = np.r_[starts, len(chapter)].astype(np.int64)
        return cls(keys, roles, chapter[starts], Lists(offsets, package[by_chapter]), order)

    def find(self, chapters: Lists, limit: int) -> Lists:
        """The candidates (rows of ``keys``) of requests with the given chapters, best first.

        Args:
            chapters: codes of each request's chapters.
            limit: most candidates a request.
        """
        request = np.repeat(np.arange(len(chapters)), chapters.lengths)
        wanted = chapters.values
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


def listed_pool(plan: Plan, request: HomeworkPlan, listed: Listed) -> Pool:
    """The candidate table as a pool."""
    roles = {role: role_codes(plan, request, role, listed.packages.role(role)) for role in request.roles}
    keys = roles.pop("key").values
    return Pool.of(keys, roles, roles["chapters"], np.arange(len(keys)))


def seen_pool(request: HomeworkPlan, state: FeatureState, look: LookUp) -> Pool:
    """The packages taken up to the state's day, in the order of what stands for them: most often first, ties by key."""
    codes, roles, counts = state.catalogue.all()
    ids = look.of_codes(request.item_space, codes)
    ascending = np.argsort(ids, kind="stable")
    place = ranks(look.raw(request.item_space, ids[ascending]))
    order = np.empty(len(codes), np.int64)
    order[np.lexsort((place, -counts[ascending]))] = np.arange(len(codes))
    roles = {role: lists.take(ascending) for role, lists in roles.items()}
    return Pool.of(codes[ascending], roles, roles["chapters"], order)
