"""Last year's history and last year's same-day rows do what they are for, on schools whose law is known."""

from __future__ import annotations

import numpy as np

from benchmarks.policies import FIRST, NO_LAST_YEAR, OUTAGE, PLAIN, PROJECT, REPLAY, Hits, compare, difference, variants
from examples.school.options import EFFECTS, Options


def _hits(effects: frozenset[str], *names: str) -> Hits:
    """The tests of the named variants on the days of a school."""
    school = Options(
        FIRST, days=10, teachers=400, last_year_classes=6, effects=effects, outages=frozenset({OUTAGE}), seed=1
    )
    config = variants(PROJECT / "conf", "pooled")
    experiments = {name: config.experiments[name].model_copy(update={"compile": "graph"}) for name in names}
    return compare([school], config.model_copy(update={"experiments": experiments}))


def test_same_day_rows_help_where_they_are_repeated() -> None:
    found = _hits(frozenset(EFFECTS), PLAIN, REPLAY)
    assert difference(found, REPLAY, PLAIN, np.ones(len(found.teacher), bool)).low > 0


def test_last_years_history_helps_who_has_none_and_same_day_rows_do_not_where_nothing_is_repeated() -> None:
    found = _hits(frozenset(EFFECTS) - {"repetition"}, PLAIN, NO_LAST_YEAR, REPLAY)
    assert difference(found, PLAIN, NO_LAST_YEAR, found.no_history).low > 0
    assert difference(found, REPLAY, PLAIN, np.ones(len(found.teacher), bool)).low <= 0
