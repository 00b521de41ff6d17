"""What is known of who asks and of values by what was fitted, and the score of a value for an owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.features.arrays.feature_codes import frame_codes
from pipeline.features.frames.frame import Array, Lists
from pipeline.features.frames.keyed import Keyed
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows
from pipeline.features.state.factor_store import Fitted
from pipeline.features.state.neighbours import NEAR, WEIGHT, Neighbours, last_taken
from pipeline.features.state.state import FeatureState

VECTOR, LAST = "vector", "last"
_BLOCK = 8192
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Vectors:
    """By code, a ``vector`` float32 ``[factors]`` of owners and of values; zeros for whom there is none."""

    owners: Keyed
    values: Keyed

    def of(self, owner: Codes, values: Codes) -> Floats:
        """The product of the vectors of each owner and value, each by itself; 0 where one has none."""
        mine, value, out = self.owners.find(owner), self.values.find(values), np.zeros(len(values))
        left, right = _matrix(self.owners, VECTOR), _matrix(self.values, VECTOR)
        there = np.flatnonzero((mine >= 0) & (value >= 0))
        for start in range(0, len(there), _BLOCK):  # in pieces that stay in the processor's cache
            rows = there[start : start + _BLOCK]
            out[rows] = (left[mine[rows]].astype(np.float64) * right[value[rows]]).sum(axis=1)
        return out


@dataclass(frozen=True)
class Near:
    """By code, what owners took ``last`` (lists), and the neighbours of values (``Neighbours.table``)."""

    owners: Keyed
    values: Keyed

    def of(self, owner: Codes, values: Codes) -> Floats:
        """The weights of each value's neighbours that the owner took last, one after another; 0 where there is none."""
        mine, value, out = self.owners.find(owner), self.values.find(values), np.zeros(len(values))
        there = np.flatnonzero((mine >= 0) & (value >= 0))
        used, row = np.unique(value[there], return_inverse=True)
        near, weight = _matrix(self.values, NEAR)[used], _matrix(self.values, WEIGHT)[used].astype(np.float64)
        neighbours, place = np.unique(near, return_inverse=True)
        place = place.reshape(near.shape)
        took = self._took(neighbours)
        for start in range(0, len(there), _BLOCK):
            rows, of = there[start : start + _BLOCK], row[start : start + _BLOCK]
            out[rows] = (weight[of] * took[mine[rows][:, None], place[of]]).sum(axis=1)
        return out

    def _took(self, values: Codes) -> NDArray[np.bool_]:
        """Whether each owner took each of some ascending values last, ``[owners, values]``."""
        last = self._last
        found = Keyed(values, {}).find(last.values)
        took = np.zeros((len(last), len(values)), np.bool_)
        took[np.repeat(np.arange(len(last)), last.lengths)[found >= 0], found[found >= 0]] = True
        return took

    @cached_property
    def _last(self) -> Lists:
        column = self.owners.columns[LAST]
        assert isinstance(column, Lists)
        return column


Scores = Vectors | Near


def fitted_scores(
    plan: Plan, rows: DayRows, state: FeatureState, fitted: Mapping[str, Fitted]
) -> dict[str, Scores]:
    """By name of its settings, what values score by for who asks as of the end of the day before."""
    found: dict[str, Scores] = {}
    for settings in plan.collaborative_settings:
        owner = np.unique(frame_codes(plan, plan.features[settings.owner], rows.requests))
        made = fitted[settings.name]
        table = state.bags[settings.context, settings.bag].own[settings.owner]
        if isinstance(made, Neighbours):
            found[settings.name] = Near(Keyed(owner, {LAST: last_taken(settings, table, owner)}), made.table)
        else:
            found[settings.name] = Vectors(Keyed(owner, {VECTOR: made.owners(settings, table, owner)}), made.table)
    return found


def _matrix(table: Keyed, name: str) -> Array:
    column = table.columns[name]
    assert not isinstance(column, Lists)
    return column
