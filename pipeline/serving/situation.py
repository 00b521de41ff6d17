"""A request in a release's world: all that the release knows of it, in the form in which training reads a day."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from models.schema import Kind, Side
from pipeline.errors import UsageError
from pipeline.features.arrays.assemble import Assembled, assemble
from pipeline.features.arrays.pool import Pool
from pipeline.features.arrays.raw_values import bag_ids, categorical_ids
from pipeline.features.arrays.request_histories import LastYear
from pipeline.features.frames.frame import Array, Column, Frame
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.rows.day import DayRows, flat
from pipeline.features.state.state import FeatureState
from pipeline.ingest.canonical_ids import MISSING_INT, MISSING_STR
from pipeline.release.contents.keyed_parts import field_of
from pipeline.serving.meta import CounterPart, Meta
from pipeline.serving.raw_look_up import RawIds
from pipeline.serving.request import Request, typed
from pipeline.serving.small_state import Known, small_state


class Source(Protocol):
    """Where the parts of a release are read from."""

    def fetch(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]: ...

    def shared(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]: ...


@dataclass(frozen=True)
class Posed:
    """What ``assemble`` takes of a request, and the columns of its owner's history."""

    rows: DayRows
    history: Mapping[str, Any] | None
    pool: Pool | None = None
    last_year: LastYear | None = None


class Situation(ABC):
    """A request in a release's world, by the kind of job.

    Attributes:
        kind: what the kind of request makes of the job's features.
        day: the day the answer is for.
        look: what stands for ids: they themselves.
        note: why there is nothing to score, or what was assumed.
    """

    def __init__(self, meta: Meta, source: Source, request: Request) -> None:
        self.meta, self.source, self.request, self.plan = meta, source, request, meta.plan
        self.kind: Any = meta.plan.request
        self.note = ""
        self.look = self.looked_up()
        self.day = request.day or meta.day.next()
        if self.day <= meta.day:
            raise UsageError(f"day {self.day}: the release stands at the end of {meta.day}; ask for a later day")
        names = self.kind.owner_columns
        if len(request.owner) != len(names):
            raise UsageError(f"the owner of a history is {', '.join(names)}; {len(request.owner)} ids were given")
        self.owner = {name: self.typed(name, raw) for name, raw in zip(names, request.owner, strict=True)}
        self.ids = tuple(flat(each).tolist()[0] for each in self.owner.values())

    def assembled(self) -> Assembled | None:
        """The features of the request and its candidates, in raw ids; ``None`` where there is nothing to score."""
        posed = self.posed()
        if posed is None:
            return None
        known = Known(self.ids, posed.history, self._counters(posed.rows))
        state = self.known_state(small_state(self.meta, self.look, known), posed)
        return assemble(self.plan, posed.rows, self.look, state, pool=posed.pool, last_year=posed.last_year)

    def looked_up(self) -> RawIds:
        """What stands for ids."""
        return RawIds(self.plan)

    def known_state(self, state: FeatureState, posed: Posed) -> FeatureState:
        """The state with what else this kind of request reads of it."""
        return state

    @abstractmethod
    def posed(self) -> Posed | None:
        """The request's rows, and what the release knows of them; ``None``, and a note, where nothing can be asked."""

    @abstractmethod
    def item_ids(self, planned: PlannedFeature, rows: Any) -> Array:
        """One raw id of a feature an item, missing where it has none."""

    def frame(self, rows: Mapping[str, Column], user: str) -> Frame:
        """One row: the request's own columns, its user's profile, the calendar."""
        name = field_of(flat(rows[f"row.{user}"]).tolist()[0])
        profile = self.source.fetch({"profiles": [name]})["profiles"].get(name)
        weekday = np.array([self.day.weekday], np.int64)
        return Frame(1, {**rows, **self.meta.frame("profiles", [profile]), "calendar.weekday": weekday})

    def given(self, column: str) -> Column:
        """A column of the request's own row as it was given, missing where it was not."""
        return self.typed(column, self.request.context.get(column))

    def typed(self, name: str, raw: Any) -> Column:
        return typed(self.plan.config, name, raw)

    def _counters(self, rows: DayRows) -> dict[str, dict[str, Any]]:
        """By part, the columns of the keys that begin with a raw id of this request or of its candidates."""
        own: dict[str, list[str]] = {}
        others: dict[str, list[str]] = {}
        for part in self.meta.counters:
            side = self.plan.features[part.key[0]].feature.side
            (others if side is Side.ITEM else own)[part.part] = self._first_ids(part, rows)
        return {**self.source.fetch(own), **self.source.shared(others)}

    def _first_ids(self, part: CounterPart, rows: DayRows) -> list[str]:
        planned = self.plan.features[part.key[0]]
        on_items = planned.feature.side is Side.ITEM
        values = self.item_ids(planned, rows) if on_items else self.frame_ids(planned, rows.requests)
        return [field_of(raw) for raw in dict.fromkeys(values.tolist()) if raw not in (MISSING_INT, MISSING_STR)]

    def frame_ids(self, planned: PlannedFeature, frame: Frame) -> Array:
        """One raw id of a feature a row of a frame; of a bag its first one."""
        space = str(planned.feature.space)
        if planned.feature.kind is Kind.BAG:
            return bag_ids(planned, frame, self.plan.space_kind(space)).padded(1, self.look.unknown(space))[:, 0]
        return categorical_ids(planned, frame, self.plan.space_kind(space))


def repeated(frame: Frame, rows: int) -> dict[str, Column]:
    """The columns of a frame of one row, that row ``rows`` times."""
    return dict(frame.take(np.zeros(rows, np.int64)).columns)
