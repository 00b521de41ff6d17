"""How the values of a candidate's bag suit who asks, by vectors fitted to who took what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.features.arrays.bag_values import AskedBags, sums
from pipeline.features.arrays.feature_codes import frame_codes
from pipeline.features.frames.frame import Array, Lists
from pipeline.features.frames.keyed import Keyed
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows
from pipeline.features.state.bags import VALUES
from pipeline.features.state.factors import Factors
from pipeline.features.state.state import FeatureState

VECTOR = "vector"
_BLOCK = 8192
_ALIKE = 1e-9
"""Scores of one context whose deviation is not above it do not tell its values apart."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Vectors:
    """By code, a ``vector`` float32 ``[factors]`` of owners and of values; zeros for whom there is none."""

    owners: Keyed
    values: Keyed


def fitted_vectors(
    plan: Plan, rows: DayRows, state: FeatureState, factors: Mapping[str, Factors]
) -> dict[str, Vectors]:
    """By name of its settings, the vectors of who asks as of the end of the day before, and of all values."""
    found = {}
    for settings in plan.collaborative_settings:
        owner = np.unique(frame_codes(plan, plan.features[settings.owner], rows.requests))
        fitted = factors[settings.name]
        table = state.bags[settings.context, settings.bag].own[settings.owner]
        found[settings.name] = Vectors(Keyed(owner, {VECTOR: fitted.owners(settings, table, owner)}), fitted.table)
    return found


def collaborative_value(asked: AskedBags, owner: Codes, vectors: Vectors) -> NDArray[np.float32]:
    """Mean and least of the scores of each pair's bag, ``[pairs, 2]``; 0 where nothing tells its values apart.

    Args:
        owner: codes ``[requests]``.
    """
    contexts, of_pair = np.unique(asked.context, return_inverse=True)
    groups, group = np.unique(asked.request * max(len(contexts), 1) + of_pair, return_inverse=True)
    request, context = np.divmod(groups, max(len(contexts), 1))
    asks = vectors.owners.find(owner)
    known = _of_contexts(asked.tables.all.members, contexts[context])
    member = np.repeat(np.arange(len(groups)), known.lengths)
    score = _products(vectors, asks[request[member]], known.values)
    number = np.maximum(known.lengths, 1)
    mean = sums(member, score, len(groups)) / number
    deviation = np.sqrt(sums(member, np.square(score - mean[member]), len(groups)) / number)
    at = group[asked.pair]
    told = deviation > _ALIKE
    # A request is told the vectors of its contexts' own values: what was taken elsewhere alone is as never taken.
    here = np.where(asked.last_day > 0, asks[asked.request[asked.pair]], -1)
    own = _products(vectors, here, asked.bags.values)
    standard = np.where(told[at], (own - mean[at]) / np.where(told, deviation, 1)[at], 0)
    least = np.full(len(asked.bags), np.inf)
    np.minimum.at(least, asked.pair, standard)
    filled = asked.bags.lengths > 0
    means = asked.sums(standard) / np.maximum(asked.bags.lengths, 1)
    return np.stack([means, np.where(filled, least, 0)], axis=1).astype(np.float32)


def _of_contexts(members: Keyed, contexts: Codes) -> Lists:
    """The known values of each context; none of one that nothing is known of."""
    lists = members.columns[VALUES]
    assert isinstance(lists, Lists)
    row = members.find(contexts)
    none = Lists(np.append(lists.offsets, lists.offsets[-1]), lists.values)
    return none.take(np.where(row < 0, len(lists), row))


def _products(vectors: Vectors, owner: NDArray[np.int64], values: Codes) -> Floats:
    """The product of a row of the owners' vectors and the vector of a value, each by itself."""
    value, out = vectors.values.find(values), np.zeros(len(values))
    left, right = _matrix(vectors.owners), _matrix(vectors.values)
    there = np.flatnonzero((owner >= 0) & (value >= 0))
    for start in range(0, len(there), _BLOCK):  # in pieces that stay in the processor's cache
        rows = there[start : start + _BLOCK]
        out[rows] = (left[owner[rows]].astype(np.float64) * right[value[rows]]).sum(axis=1)
    return out


def _matrix(table: Keyed) -> Array:
    column = table.columns[VECTOR]
    assert not isinstance(column, Lists)
    return column
