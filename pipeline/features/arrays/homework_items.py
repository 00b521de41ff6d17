"""The candidates of requests for homework, out of the pool, and which of them were set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.features.arrays.feature_codes import column_codes
from pipeline.features.arrays.items import DayItems
from pipeline.features.arrays.look_up import LookUp
from pipeline.features.arrays.package_codes import role_codes
from pipeline.features.arrays.pool import Pool
from pipeline.features.frames.frame import Lists
from pipeline.features.frames.from_arrow import lists_of
from pipeline.features.ids.fingerprints import Codes, are_known
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.homework_day import HomeworkDay, Judged


def homework_items(plan: Plan, request: HomeworkPlan, rows: HomeworkDay, look: LookUp, pool: Pool | None) -> DayItems:
    """The candidates of each request, by its chapters."""
    if pool is None:
        raise TypeError("requests for homework are answered out of a pool of candidates")
    space, found = request.item_space, found_packages(plan, request, rows, pool)
    packages, pair_item = np.unique(found.values, return_inverse=True)
    key = pool.keys[packages]
    label = _labels(rows.judged, column_codes(plan, space, rows.judged.key, "item.key"), found, pair_item, key)
    return DayItems(
        found.offsets, pair_item.astype(np.int32), key, look.raw(space, look.of_codes(space, key)), label[:, None],
        roles={role: lists.take(packages) for role, lists in pool.roles.items()},
    )  # fmt: skip


def found_packages(plan: Plan, request: HomeworkPlan, rows: HomeworkDay, pool: Pool) -> Lists:
    """The candidates (rows of the pool) of each request, best first."""
    settings = request.settings
    # Chapters of requests are of the space in which those of packages are.
    chapters = role_codes(plan, request, "chapters", lists_of(rows.requests[f"row.{settings.package.chapters}"]))
    return pool.find(chapters, settings.candidates.limit)


def _labels(
    judged: Judged, judged_key: Codes, found: Lists, pair_item: NDArray[np.intp], key: Codes
) -> NDArray[np.int8]:
    """The label of each (request, candidate) pair: that of the judged pair, else that of the ``others``."""
    out = np.full(len(pair_item), judged.others, np.int8)
    order = np.argsort(key, kind="stable")
    at = np.minimum(np.searchsorted(key[order], judged_key), max(len(key) - 1, 0))
    there = np.flatnonzero(key[order][at] == judged_key) if len(key) else np.zeros(0, np.int64)
    if not len(there):
        return out
    # Each pair as one number, on both sides.
    known = judged.request[there] * len(key) + order[at[there]]
    pair = np.repeat(np.arange(len(found)), found.lengths) * len(key) + pair_item
    place = np.argsort(known, kind="stable")
    at = np.minimum(np.searchsorted(known[place], pair), len(known) - 1)
    hit = (known[place][at] == pair) & are_known(key[pair_item])
    out[hit] = judged.label[there][place[at[hit]]]
    return out
