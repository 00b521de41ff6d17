"""A day's raw ids by id space, in the order in which new ones get their indices."""

from __future__ import annotations

from collections.abc import Sequence

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
    return by_space(plan, [ids_of_part(plan, rows, listed)])


def ids_of_part(plan: Plan, rows: DayRows, listed: Listed | None = None) -> list[tuple[str, Array]]:
    """The same of a part of the rows, not joined yet: of each feature in turn its id space and distinct ids."""
    growth = growth_of(plan)
    having = [planned for planned in plan.features.values() if planned.feature.has_ids]
    found = [(planned.feature.space or "", growth.feature_ids(planned, rows)) for planned in having]
    return [(space, _distinct(values)) for space, values in (*found, *growth.more_ids(rows, listed))]


def by_space(plan: Plan, parts: Sequence[Sequence[tuple[str, Array]]]) -> dict[str, Array]:
    """The ids of parts that follow each other, by id space."""
    found: dict[str, list[Array]] = {space: [] for space in plan.spaces}
    for same in zip(*parts, strict=True):
        values = [values for _, values in same]
        found[same[0][0]].append(_distinct(np.concatenate(values)) if len(values) > 1 else values[0])
    return {space: _joined(each, plan.space_kind(space)) for space, each in found.items()}


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
