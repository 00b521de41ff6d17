"""Experiments on generated schools: what is printed of them."""

from __future__ import annotations

from benchmarks.schools import told
from pipeline.evaluation.compare import Standing


def test_a_standing_in_words() -> None:
    assert told(Standing("replay", 9, 0.45, 0.42, 0.03, 0.01, 0.05), "hit_3") == (
        "hit_3 0.420 -> 0.450, +0.0300 [+0.0100, +0.0500] over 9 days: better"
    )
    assert told(Standing("replay", 0), "hit_3") == "no day to compare"
