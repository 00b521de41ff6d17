"""What a kind of request makes of its rows for a day's arrays: candidates, histories, and what it names them by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.features.arrays.feature_codes import list_codes
from pipeline.features.arrays.items import DayItems
from pipeline.features.arrays.look_up import Indices, LookUp
from pipeline.features.arrays.pool import Pool
from pipeline.features.arrays.raw_values import as_raw, bag_ids, dense_values
from pipeline.features.arrays.request_histories import Histories, LastYear
from pipeline.features.frames.frame import Array, Frame, Lists
from pipeline.features.frames.from_arrow import lists_of
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.candidate_table import Listed
from pipeline.features.rows.day import DayRows, Tables, flat
from pipeline.features.state.state import FeatureState
from pipeline.job import JobContext

Rows = TypeVar("Rows", bound=DayRows)
"""The rows of a kind of request."""


class RequestArrays(ABC, Generic[Rows]):
    """One class a kind of request."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def pool(self, state: FeatureState, listed: Listed | None, look: LookUp) -> Pool | None:
        """What requests may be answered with; ``None`` where each names its own candidates."""
        return None

    def last_year(self, context: JobContext, rows: Rows, look: Indices) -> LastYear:
        """Last year's windows of each request, where features ask for them."""
        return {}

    @abstractmethod
    def items(self, rows: Rows, look: LookUp, pool: Pool | None) -> DayItems:
        """The candidates of the day's requests."""

    @abstractmethod
    def histories(self, rows: Rows, look: LookUp, state: FeatureState, last_year: LastYear) -> Histories:
        """What the requests' windows are cut from."""

    @abstractmethod
    def item_values(self, items: DayItems, look: LookUp, day: Day) -> Mapping[str, Array]:
        """The features of the candidates, ``[items, …]``."""

    def every_item(self, tables: Tables) -> Frame | None:
        """The columns of all items that there are, in the order of their keys; ``None`` where no table lists them."""
        return None

    def raw_items(self, items: Frame) -> Array:
        """The raw ids of items of :meth:`every_item`."""
        raise DataError("no table lists the items of such a job")

    @abstractmethod
    def item_codes(self, planned: PlannedFeature, items: DayItems, look: LookUp) -> Codes:
        """One code of a feature a candidate."""

    def item_bags(self, planned: PlannedFeature, items: DayItems, look: LookUp) -> Lists:
        """The codes of a bag of each candidate, ``[items]``."""
        return list_codes(bag_ids(planned, items.frame, self.plan.space_kind(planned.feature.space or "")))

    def pair_values(
        self, planned: PlannedFeature, rows: Rows, items: DayItems, state: FeatureState
    ) -> NDArray[np.float32]:
        """A feature of request and candidate together that is no counter, ``[pairs, size]``."""
        if planned.frame != "row":
            raise DataError(f"feature '{planned.name}': a pair has no `{planned.frame}.` columns")
        return dense_values(planned, rows.requests, rows.day)[items.request]

    @abstractmethod
    def user(self, rows: Rows, look: LookUp) -> Array:
        """Whose each request is, ``[requests]`` of whole numbers."""

    def users(self, of_parts: Array, keys: Mapping[str, Array]) -> Array:
        """``user`` of rows that were made in parts, by what it is in each of them and by ``keys`` of all."""
        return of_parts

    @abstractmethod
    def keys(self, rows: Rows, items: DayItems) -> dict[str, Array]:
        """Raw ids that name the rows, as they are."""

    def composed(self, planned: PlannedFeature, rows: Rows, items: DayItems, look: LookUp) -> Array:
        """The raw ids of which a feature takes digits."""
        frame = items.frame if planned.frame == "item" else rows.requests
        return np.concatenate([lists_of(frame[key]).values for key in planned.keys])

    def counts(self, items: DayItems) -> dict[str, int]:
        """What else of the day is counted."""
        return {}


class UserArrays(RequestArrays[Rows]):
    """Of requests that somebody makes."""

    @property
    @abstractmethod
    def user_column(self) -> str:
        """The column of the rows that says who asks."""

    def user(self, rows: Rows, look: LookUp) -> Array:
        space, name = self.plan.request.user_space, f"row.{self.user_column}"
        return look.of_raw(space, as_raw(flat(rows.requests[name]), self.plan.space_kind(space), name))

    def keys(self, rows: Rows, items: DayItems) -> dict[str, Array]:
        names = dict.fromkeys([self.user_column, *self.plan.request.owner_columns])
        return {f"request.{name}": flat(rows.requests[f"row.{name}"]) for name in names} | {"item.key": items.raw}
