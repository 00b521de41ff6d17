from __future__ import annotations

from pipeline.features.plan.plan import Plan
from pipeline.features.state.histories import HistoryRule
from pipeline.features.state.impressions import ImpressionState
from tests.unit.pipeline.features import shows


def test_the_last_items_that_a_user_took_each_as_an_entry_of_its_own() -> None:
    declared = shows.config().model_dump(by_alias=True, mode="json")["impressions"]
    kept = ImpressionState(Plan(shows.config(impressions={**declared, "history_length": 7})).request)
    assert kept.history == HistoryRule(1, ("items", "kind"), 7, "active", 1, merge=False)
    assert (kept.roles, kept.latest, kept.counts_by_id) == ((), 0, None)
