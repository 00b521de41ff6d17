"""What the state keeps for impressions: the last items that each user took."""

from __future__ import annotations

from pipeline.features.plan.impressions import ImpressionPlan
from pipeline.features.state.events import TIMES
from pipeline.features.state.histories import HistoryRule
from pipeline.features.state.request import RequestState, negatives_of


class ImpressionState(RequestState):
    """The state of a job of impressions."""

    def __init__(self, plan: ImpressionPlan) -> None:
        self._plan = plan

    @property
    def history(self) -> HistoryRule:
        parts, keep = tuple(self._plan.history_parts), self._plan.settings.history_length
        if self._plan.time is not None:
            parts = (*parts, TIMES)
        return HistoryRule(1, parts, keep, "active", 1, merge=False)

    @property
    def negatives(self) -> HistoryRule | None:
        return negatives_of(self._plan, self.history)
