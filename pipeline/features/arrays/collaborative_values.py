"""How the values of a candidate's bag suit who asks, by what was fitted to who took what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.features.arrays.bag_values import AskedBags, numbered, sums
from pipeline.features.arrays.fitted_scores import Scores
from pipeline.features.frames.frame import Lists
from pipeline.features.frames.keyed import Keyed
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.state.bags import VALUES

_ALIKE = 1e-9
"""Scores of one context whose deviation is not above it do not tell its values apart."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ContextValues:
    """The values that are known of the contexts that a day's requests ask for: what scores are standard among.

    Attributes:
        request, value: of each known value of each (request, context), the request, and its code.
        group: the (request, context) of each, of ``number`` known values each.
        cell: of each, its place among ``cells``; ``at``: of each asked value, -1 where it is not known.
        asked_group: the (request, context) of each asked value.
    """

    request: NDArray[np.int64]
    value: Codes
    group: NDArray[np.int64]
    number: NDArray[np.int64]
    cell: NDArray[np.int64]
    cells: int
    at: NDArray[np.int64]
    asked_group: NDArray[np.int64]

    @classmethod
    def of(cls, asked: AskedBags) -> ContextValues:
        contexts, of_pair = np.unique(asked.context, return_inverse=True)
        wide = max(len(contexts), 1)
        groups, group = np.unique(asked.request * wide + of_pair, return_inverse=True)
        request, context = np.divmod(groups, wide)
        known = _of_contexts(asked.tables.all.members, contexts[context])
        member = np.repeat(np.arange(len(groups)), known.lengths)
        asked_group = group.astype(np.int64)[asked.pair]
        cell, at, cells = numbered((member, known.values), (asked_group, asked.bags.values))
        return cls(request[member], known.values, member, known.lengths, cell, cells, at, asked_group)


def collaborative_value(
    asked: AskedBags, known: ContextValues, owner: Codes, scores: Scores
) -> NDArray[np.float32]:
    """Mean and least of the scores of each pair's bag, ``[pairs, 2]``; 0 where nothing tells its values apart.

    A value that was taken elsewhere alone is scored as one that was never taken.

    Args:
        owner: codes ``[requests]``.
    """
    score = scores.of(owner[known.request], known.value)
    number, groups = np.maximum(known.number, 1), len(known.number)
    mean = sums(known.group, score, groups) / number
    deviation = np.sqrt(sums(known.group, np.square(score - mean[known.group]), groups) / number)
    told = deviation > _ALIKE
    by_cell = np.zeros(known.cells + 1)
    by_cell[known.cell] = score
    own, at = by_cell[known.at], known.asked_group
    standard = np.where(told[at], (own - mean[at]) / np.where(told, deviation, 1)[at], 0)
    least = np.full(len(asked.bags), np.inf)
    np.minimum.at(least, asked.pair, standard)
    means = asked.sums(standard) / np.maximum(asked.bags.lengths, 1)
    return np.stack([means, np.where(asked.bags.lengths > 0, least, 0)], axis=1).astype(np.float32)


def _of_contexts(members: Keyed, contexts: Codes) -> Lists:
    """The known values of each context; none of one that nothing is known of."""
    lists = members.columns[VALUES]
    assert isinstance(lists, Lists)
    row = members.find(contexts)
    none = Lists(np.append(lists.offsets, lists.offsets[-1]), lists.values)
    return none.take(np.where(row < 0, len(lists), row))
