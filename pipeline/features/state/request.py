"""What the state keeps for a kind of request."""

from __future__ import annotations

from abc import ABC, abstractmethod

from pipeline.features.state.histories import HistoryRule


class RequestState(ABC):
    """One class a kind of request, made of the plan of its kind."""

    @property
    @abstractmethod
    def history(self) -> HistoryRule:
        """What histories keep."""

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
