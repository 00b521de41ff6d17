"""Codes by which rows are matched with those of last year: of a group of similar classes, of a class of any teacher."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.features.arrays.feature_codes import column_codes
from pipeline.features.frames.frame import Frame
from pipeline.features.ids.fingerprints import Codes, key_of
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import flat


def group_codes(plan: Plan, request: HomeworkPlan, columns: tuple[str, ...], frame: Frame) -> tuple[Codes, ...]:
    """Codes of the columns that rows are matched by, one a row."""
    return tuple(column_codes(plan, request.group_space(name), flat(frame[name]), name) for name in columns)


def group_keys(plan: Plan, request: HomeworkPlan, columns: tuple[str, ...], frame: Frame) -> NDArray[np.int64]:
    """Key of the rows that share ``columns``; empty without columns."""
    return key_of(*group_codes(plan, request, columns, frame)) if columns else np.zeros(0, np.int64)
