"""What the state keeps for homework: days of packages by teacher and class, study values, style counts."""

from __future__ import annotations

from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.state.histories import HistoryRule
from pipeline.features.state.request import RequestState, negatives_of
from pipeline.features.state.style_counts import COUNTS, STYLES


class HomeworkState(RequestState):
    """The state of a job whose requests are for homework."""

    def __init__(self, plan: HomeworkPlan) -> None:
        self._plan = plan

    @property
    def history(self) -> HistoryRule:
        """Days of homework: of the calendar those that a window reaches, or the last ones."""
        plan, history = self._plan, self._plan.config.history
        keep = history.length + history.lead
        return HistoryRule(
            len(plan.owner_columns), tuple(plan.history_parts), keep, history.days, history.values, merge=True
        )

    @property
    def negatives(self) -> HistoryRule | None:
        return negatives_of(self._plan, self.history)

    @property
    def roles(self) -> tuple[str, ...]:
        """Of packages that were seen; of a listed one the table knows more."""
        seen = self._plan.settings.candidates.taken_from == "seen"
        return tuple(role for role in self._plan.roles if role != "key") if seen else ()

    @property
    def latest(self) -> int:
        """The values of a study row."""
        study = self._plan.settings.study
        return len(study.values) if study is not None else 0

    @property
    def counts_by_id(self) -> HistoryRule | None:
        """Style counts of the calendar days that a window can reach; none where no feature is made of the table."""
        plan, length = self._plan, self._plan.config.history.length
        if plan.counted_space is None:
            return None
        return HistoryRule(len(plan.owner_columns), (STYLES, COUNTS), length, "calendar", 1, merge=False)
