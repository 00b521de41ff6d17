"""The candidates of a day's requests: which each has, what they are, and which of them are positive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.features.arrays.feature_codes import column_codes
from pipeline.features.arrays.look_up import LookUp
from pipeline.features.arrays.pool import Pool, request_chapters
from pipeline.features.arrays.raw_values import as_raw
from pipeline.features.frames.frame import Array, Frame, Lists
from pipeline.features.ids.codes import Codes, are_known, codes_of
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows, Judged, flat


@dataclass(frozen=True)
class DayItems:
    """The day's candidates.

    Attributes:
        offsets: int64 ``[requests + 1]`` pairs of each request, best candidate first.
        pair_item: int32 ``[pairs]`` row of the item.
        key, raw: ``[items]`` code and raw id of each item, of a ranking each item once.
        label: int8 ``[pairs]`` as in ``DayArrays``.
        roles: of a ranking, lists of codes of the items by role.
        frame: of impressions, the columns of the items.
    """

    offsets: NDArray[np.int64]
    pair_item: NDArray[np.int32]
    key: Codes
    raw: Array
    label: NDArray[np.int8]
    roles: Mapping[str, Lists] = field(default_factory=dict)
    frame: Frame = field(default_factory=lambda: Frame(0, {}))


def ranking_items(plan: Plan, rows: DayRows, look: LookUp, pool: Pool) -> DayItems:
    """The candidates of each request out of the pool, by its chapters."""
    ranking, judged = plan.config.ranking, rows.judged
    assert ranking is not None
    assert judged is not None
    chapters = rows.requests[f"row.{ranking.package.chapters}"]
    assert isinstance(chapters, Lists)
    found = pool.find(request_chapters(plan, chapters), ranking.candidates.limit)
    packages, pair_item = np.unique(found.values, return_inverse=True)
    key = pool.keys[packages]
    label = _labels(judged, column_codes(plan, plan.item_space, judged.key, "item.key"), found, pair_item, key)
    return DayItems(
        found.offsets, pair_item.astype(np.int32), key,
        look.raw(plan.item_space, look.of_codes(plan.item_space, key)), label,
        roles={role: lists.take(packages) for role, lists in pool.roles.items()},
    )  # fmt: skip


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


def impression_items(plan: Plan, rows: DayRows) -> DayItems:
    """Of each impression the item that was shown."""
    impressions = plan.config.impressions
    assert impressions is not None
    raw = as_raw(flat(rows.items[f"item.{impressions.item}"]), plan.space_kind(plan.item_space), "items")
    count = rows.requests.rows
    return DayItems(
        np.arange(count + 1, dtype=np.int64), rows.event_item.astype(np.int32), codes_of(raw), raw, rows.label,
        frame=rows.items,
    )  # fmt: skip
