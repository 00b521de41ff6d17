"""Figures of an exported model: when it may be released, and why not."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.experiment import Release
from pipeline.release.check.check import judged

GOOD: dict[str, Any] = {
    "rows": 40, "probability_difference": 1e-6, "logit_difference": 1e-5, "trainer_spread": 2.0, "spread": 0.02,
    "unknown": {"ad": 0.25},
}  # fmt: skip


def reasons(**changed: Any) -> list[str]:
    return judged({**GOOD, **changed}, Release(champion="a", unknown_share_max=0.25, score_spread_min=1e-6))


def test_figures_at_their_limits_pass() -> None:
    assert reasons() == []
    assert reasons(spread=200.0) == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"rows": 0}, "it has no golden rows to compare with"),
        ({"probability_difference": 1.1e-6}, "its probability differs from the trainer's by 1.1e-06, more than 1e-06"),
        ({"logit_difference": float("nan")}, "its logit differs from the trainer's by nan"),
        ({"unknown": {"ad": 0.26, "user": 0.1}}, "26.0% of the ids of 'ad' over all candidates are unknown to it"),
        ({"spread": 0.019}, "its scores over all candidates vary by 0.019, outside 0.02 … 200"),
        ({"spread": 201.0}, "its scores over all candidates vary by 201, outside 0.02 … 200"),
        ({"spread": 0.0, "trainer_spread": 0.0}, "vary by 0, outside 1e-06 … 1e-06"),
    ],
)
def test_a_figure_beyond_its_limit_blocks(changed: dict[str, Any], reason: str) -> None:
    (found,) = reasons(**changed)
    assert reason in found


def test_a_model_that_cannot_be_called_has_no_other_reason() -> None:
    assert judged({"error": "ValueError: no such op"}, Release(champion="a")) == [
        "it cannot be loaded and called without the project: ValueError: no such op"
    ]


def test_a_job_without_candidates_is_judged_by_its_golden_rows_alone() -> None:
    figures = {name: value for name, value in GOOD.items() if name not in ("spread", "unknown")}
    assert judged(figures, Release(champion="a")) == []
