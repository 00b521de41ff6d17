"""What a kind of request makes of a day's rows for growth: the ids that are mapped, and what the state adds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.features.arrays.feature_codes import list_codes
from pipeline.features.arrays.raw_values import bag_ids, frame_ids
from pipeline.features.frames.frame import Array, Lists
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.candidate_table import Listed
from pipeline.features.rows.day import DayRows
from pipeline.features.state.events import HistoryRows

Rows = TypeVar("Rows", bound=DayRows)
"""The rows of a kind of request."""


class RequestGrowth(ABC, Generic[Rows]):
    """One class a kind of request."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def feature_ids(self, planned: PlannedFeature, rows: Rows) -> Array:
        """The raw ids of a feature in the day's events, by row; of a history those that it hands to later days."""
        if planned.frame == "item":
            return self.item_ids(planned, rows)
        if planned.frame in ("history", "last_year"):
            return self.history_ids(planned, rows)
        if planned.settings.bins is not None:  # all of them at once: in which one a number is, a later day says
            return np.arange(planned.settings.bins.count)
        return frame_ids(planned, rows.events, self.kind_of(planned))

    def more_ids(self, rows: Rows, listed: Listed | None) -> Iterator[tuple[str, Array]]:
        """Id spaces and raw ids that no feature of the events has, mapped after all of theirs."""
        yield from ()

    @abstractmethod
    def item_ids(self, planned: PlannedFeature, rows: Rows) -> Array:
        """The raw ids of a feature of the items."""

    @abstractmethod
    def history_ids(self, planned: PlannedFeature, rows: Rows) -> Array:
        """The raw ids of a feature of the histories that the day hands to later ones."""

    @abstractmethod
    def item_codes(self, planned: PlannedFeature, rows: Rows) -> Codes:
        """One code of a feature an item of the day's events."""

    def item_bags(self, planned: PlannedFeature, rows: Rows) -> Lists:
        """The codes of a bag of each item of the day's events."""
        return list_codes(bag_ids(planned, rows.items, self.kind_of(planned)))

    @abstractmethod
    def history(self, rows: Rows) -> HistoryRows:
        """What the day adds to histories."""

    @abstractmethod
    def catalogue(self, rows: Rows) -> tuple[Codes, dict[str, Lists]]:
        """What was there to be offered, and its attributes."""

    def negatives(self, rows: Rows) -> tuple[HistoryRows | None, Mapping[str, int]]:
        """What could have stood in place of what the day adds to histories, and what was counted in drawing it."""
        return None, {}

    def latest(self, rows: Rows) -> tuple[tuple[Codes, Codes], NDArray[np.float32]]:
        """Owners, what they are rated on, and the day's values, which take the place of earlier ones."""
        return (np.zeros(0, np.int64), np.zeros(0, np.int64)), np.zeros((0, 0), np.float32)

    def counts_by_id(self, rows: Rows) -> HistoryRows | None:
        """The day's counts by owner and id; ``None`` where no feature is made of them."""
        return None

    def kind_of(self, planned: PlannedFeature) -> str:
        """``int`` or ``str``: what the ids of a feature are."""
        return self.plan.space_kind(planned.feature.space or "")
