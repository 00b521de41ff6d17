from __future__ import annotations

from typing import Any

from pipeline.features.plan.plan import Plan
from pipeline.features.state.histories import HistoryRule
from pipeline.features.state.homework import HomeworkState
from tests.unit.pipeline.features import lessons


def kept(**ranking: Any) -> HomeworkState:
    declared = lessons.config().model_dump(by_alias=True, mode="json")["ranking"]
    return HomeworkState(Plan(lessons.config(ranking={**declared, **ranking})).request)


def test_days_that_a_window_with_its_lead_reaches() -> None:
    rule = kept().history
    assert rule == HistoryRule(2, rule.parts, 5, "calendar", 4, merge=True)
    assert sorted(rule.parts) == ["chapters", "sections", "styles"]


def test_the_table_of_style_counts_is_kept_row_by_row_and_for_the_window_alone() -> None:
    assert kept().counts_by_id == HistoryRule(2, ("styles", "counts"), 3, "calendar", 1, merge=False)


def test_without_a_feature_of_the_table_nothing_of_it_is_kept() -> None:
    features = lessons.config().model_dump(mode="json")["features"]
    others = {name: each for name, each in features.items() if name not in ("day_counts", "window_counts")}
    assert HomeworkState(Plan(lessons.config(features=others)).request).counts_by_id is None


def test_what_packages_are_made_of_is_kept_where_no_table_says_it() -> None:
    assert kept().roles == ()
    seen = kept(candidates={"from": "seen", "limit": 3}, labels={"from": "rows"})
    assert sorted(seen.roles) == ["chapters", "reflect", "sections", "style"]


def test_study_rows_have_the_declared_values() -> None:
    assert kept().latest == 2
    features = lessons.config().model_dump(mode="json")["features"]
    declared = lessons.config().model_dump(by_alias=True, mode="json")["ranking"]
    without = {name: each for name, each in features.items() if name != "study"}
    config = lessons.config(ranking={**declared, "study": None}, features=without)
    assert HomeworkState(Plan(config).request).latest == 0
