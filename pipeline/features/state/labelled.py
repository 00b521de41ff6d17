"""What the state keeps for labelled rows: counters alone. Nobody owns a history."""

from __future__ import annotations

from pipeline.features.plan.labelled import LabelledPlan
from pipeline.features.state.histories import HistoryRule
from pipeline.features.state.request import RequestState


class LabelledState(RequestState):
    """The state of a job of labelled rows."""

    def __init__(self, plan: LabelledPlan) -> None:
        self._plan = plan

    @property
    def history(self) -> HistoryRule:
        return HistoryRule(1, (), 1, "active", 1, merge=False)
