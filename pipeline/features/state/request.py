"""What the state keeps for a kind of request."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

from pipeline.features.plan.request import RequestPlan
from pipeline.features.state.histories import HistoryRule


class RequestState(ABC):
    """One class a kind of request, made of the plan of its kind."""

    @property
    @abstractmethod
    def history(self) -> HistoryRule:
        """What histories keep."""

    @property
    def negatives(self) -> HistoryRule | None:
        """What is kept of what could have stood in the steps of histories: an entry for each of theirs."""
        return None

    @property
    def roles(self) -> tuple[str, ...]:
        """What is kept of the attributes of what was there to be offered."""
        return ()

    @property
    def latest(self) -> int:
        """How many values the table of the newest ones has a row."""
        return 0

    @property
    def counts_by_id(self) -> HistoryRule | None:
        """What is kept of counts by owner and id."""
        return None


def negatives_of(plan: RequestPlan, history: HistoryRule) -> HistoryRule | None:
    """The rule of what is drawn for the entries of histories: kept as long as these."""
    if plan.negatives is None:
        return None
    return replace(history, parts=plan.negative_parts, values=plan.negatives.count, merge=False)
