"""A day's raw ids by id space, in the order in which new ones get their indices."""

from __future__ import annotations

import numpy as np

from pipeline.features.arrays.kinds import growth_of
from pipeline.features.frames.frame import Array
from pipeline.features.frames.texts import Texts
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.candidate_table import Listed
from pipeline.features.rows.day import DayRows


def raw_ids(plan: Plan, rows: DayRows, listed: Listed | None = None) -> dict[str, Array]:
    """The day's raw ids of every id space in canonical order: the order in which new ones get their indices.

    By feature as declared, and in it by row, each id where it stands first; then what no feature of the day's events
    has.

    Args:
        listed: the candidate table.
    """
    growth = growth_of(plan)
    found: dict[str, list[Array]] = {space: [] for space in plan.spaces}
    for planned in plan.features.values():
        if planned.feature.has_ids:
            found[planned.feature.space or ""].append(_distinct(growth.feature_ids(planned, rows)))
    for space, values in growth.more_ids(rows, listed):
        found[space].append(_distinct(values))
    return {space: _joined(parts, plan.space_kind(space)) for space, parts in found.items()}


def _distinct(values: Array) -> Array:
    """Each value once, in order of first appearance: a day has a million rows and few ids."""
    if isinstance(values, Texts):
        return values.distinct()
    import pandas as pd

    found: Array = pd.unique(values)
    return found


def _joined(parts: list[Array], kind: str) -> Array:
    if not parts:
        return np.zeros(0, np.int64 if kind == "int" else object)
    return np.concatenate(parts)
