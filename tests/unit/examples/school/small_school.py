"""A school of some teachers to look at."""

from __future__ import annotations

from examples.school.options import USUAL, Options
from pipeline.days import Day

FIRST = Day.of(2024, 2, 26)
ALL = USUAL


def options(*effects: str, **sizes: int) -> Options:
    return Options(FIRST, effects=frozenset(effects), **{"teachers": 200, **sizes})  # type: ignore[arg-type]
