"""The candidates of a day's requests: which each has, what they are, and which of them are positive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.schema import UNKNOWN
from pipeline.features.arrays.indices import Maps, role_index
from pipeline.features.arrays.pool import Pool, request_chapters
from pipeline.features.arrays.raw_values import as_raw
from pipeline.features.frames.frame import Array, Frame, Lists
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows, flat


@dataclass(frozen=True)
class DayItems:
    """The day's candidates.

    Attributes:
        offsets: int64 ``[requests + 1]`` pairs of each request, best candidate first.
        pair_item: int32 ``[pairs]`` row of the item.
        key, raw: ``[items]`` index and raw id of each item.
        label: int8 ``[pairs]`` as in ``DayArrays``.
        roles: of a ranking, index lists of the items by role.
        frame: of impressions, the columns of the items.
    """

    offsets: NDArray[np.int64]
    pair_item: NDArray[np.int32]
    key: NDArray[np.int32]
    raw: Array
    label: NDArray[np.int8]
    roles: Mapping[str, Lists] = field(default_factory=dict)
    frame: Frame = field(default_factory=lambda: Frame(0, {}))


def ranking_items(plan: Plan, rows: DayRows, maps: Maps, pool: Pool) -> DayItems:
    """The candidates of each request out of the pool, by its chapters."""
    ranking, judged = plan.config.ranking, rows.judged
    assert ranking is not None
    assert judged is not None
    chapters = rows.requests[f"row.{ranking.package.chapters}"]
    assert isinstance(chapters, Lists)
    found = pool.find(request_chapters(plan, chapters, maps), ranking.candidates.limit)
    packages, pair_item = np.unique(found.values, return_inverse=True)
    key = pool.keys[packages]
    label = _labels(judged.request, role_index(plan, "key", _ones(judged.key), maps).values, judged.label,
                    judged.others, found, key[pair_item])  # fmt: skip
    return DayItems(
        found.offsets, pair_item.astype(np.int32), key, maps[plan.item_space].raw(key), label,
        roles={role: lists.take(packages) for role, lists in pool.roles.items()},
    )  # fmt: skip


def _ones(values: Array) -> Lists:
    return Lists(np.arange(len(values) + 1, dtype=np.int64), values)


def _labels(
    request: NDArray[np.int64], key: NDArray[np.int32], label: NDArray[np.int8], others: int, found: Lists,
    found_key: NDArray[np.int32],
) -> NDArray[np.int8]:  # fmt: skip
    """The label of each (request, candidate) pair: that of the judged pair, else ``others``."""
    pair = np.repeat(np.arange(len(found)), found.lengths) << 31 | found_key.astype(np.int64)
    known = request << 31 | key.astype(np.int64)
    out = np.full(len(pair), others, np.int8)
    if not len(known):
        return out
    order = np.argsort(known, kind="stable")
    at = np.minimum(np.searchsorted(known[order], pair), len(known) - 1)
    hit = (known[order][at] == pair) & (found_key > UNKNOWN)
    out[hit] = label[order][at[hit]]
    return out


def impression_items(plan: Plan, rows: DayRows, maps: Maps) -> DayItems:
    """Of each impression the item that was shown."""
    impressions = plan.config.impressions
    assert impressions is not None
    raw = as_raw(flat(rows.items[f"item.{impressions.item}"]), plan.space_kind(plan.item_space), "items")
    count = rows.requests.rows
    return DayItems(
        np.arange(count + 1, dtype=np.int64), rows.event_item.astype(np.int32), maps[plan.item_space].lookup(raw), raw,
        rows.label, frame=rows.items,
    )  # fmt: skip
