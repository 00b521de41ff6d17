"""Rules of what rows weigh: over bags of the items, with a number of values that they can have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.config.load import parse_job
from tests.unit.pipeline.config.edited import ROOT, edited, error

HOMEWORK = (ROOT / "conf" / "homework.yaml").read_text(encoding="utf-8")
RULE: dict[str, Any] = {"taken": "sections", "more_than": 1, "weight": 1.4}


def test_a_rule_is_of_the_experiment_and_none_changes_no_digest() -> None:
    before, after = (
        parse_job(edited(HOMEWORK, experiments__pooled__weights=rules), Path("homework.yaml")) for rules in ([], [RULE])
    )
    assert after.experiments["pooled"].weights[0].weight == 1.4
    assert before.stage_settings("train", "pooled") == parse_job(HOMEWORK, Path("h")).stage_settings("train", "pooled")
    assert before.stage_settings("train", "pooled") != after.stage_settings("train", "pooled")
    assert before.stage_settings("test") == after.stage_settings("test")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"taken": "teacher"}, "experiments.pooled.weights.0.taken: 'teacher' is no bag of the items; one of "),
        ({"taken": "section"}, "'section' is no bag of the items; one of chapters, sections"),
        ({"more_than": 16}, "experiments.pooled.weights.0.more_than: 16, but 'sections' keeps 16 values at most"),
        ({"weight": 0}, "experiments.pooled.weights.0.weight: "),
    ],
)
def test_a_wrong_rule_is_told_with_what_is_allowed(change: dict[str, Any], message: str) -> None:
    assert message in error(edited(HOMEWORK, experiments__pooled__weights=[RULE | change]))
