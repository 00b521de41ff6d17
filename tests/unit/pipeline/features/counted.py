"""A table of counters whose values are worked out by hand."""

from __future__ import annotations

import numpy as np

from pipeline.days import Day
from pipeline.features.ids.fingerprints import MISSING, PADDING
from pipeline.features.state.counters import Cells, CounterTable

MONDAY = Day.of(2024, 2, 26)
TODAY = Day.of(2024, 3, 4)  # a week later, a leap day between


def counted() -> CounterTable:
    """Key 5: three events a week ago (two positive), one the day before (negative). Key 6: one positive a week ago."""
    empty = CounterTable.empty(1, (2.0, 7.0))
    first = empty.apply((np.array([6, 5, 5, 5, MISSING, PADDING]),), np.int8([1, 1, 0, 1, 1, 1]), MONDAY)
    return first.apply((np.array([5]),), np.int8([0]), TODAY.previous())


OVERALL = Cells.absent((), (2.0, 7.0)).counted(np.array(10), np.array(4), MONDAY)
