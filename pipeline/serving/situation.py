"""A request in a release's world: all that the release knows of it, in the form in which training reads a day."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipeline.errors import UsageError
from pipeline.features.arrays.assemble import Assembled, assemble
from pipeline.features.arrays.candidates import Candidates
from pipeline.features.arrays.request_histories import LastYear
from pipeline.features.frames.frame import Column, Frame
from pipeline.features.ids.fingerprints import codes_of
from pipeline.features.rows.day import DayRows, flat
from pipeline.features.state.counters import CounterTable
from pipeline.features.state.state import FeatureState, Group
from pipeline.release.contents.keyed_parts import field_of
from pipeline.serving.frame_ids import first_ids
from pipeline.serving.raw_look_up import RawIds
from pipeline.serving.request import Request, typed
from pipeline.serving.small_state import Source, own_counters, small_history


@dataclass(frozen=True)
class Posed:
    """What ``assemble`` takes of a request, and the columns of its owner's history."""

    rows: DayRows
    history: Mapping[str, Any] | None
    candidates: Candidates
    last_year: LastYear | None = None


class Situation(ABC):
    """A request in a release's world, by the kind of job.

    Attributes:
        known: what the release tells all requests.
        kind: what the kind of request makes of the job's features.
        day: the day the answer is for.
        look: what stands for ids: they themselves.
        note: why there is nothing to score, or what was assumed.
        unknown: who asks, in words, where the release knows nothing of it.
    """

    def __init__(self, known: Any, source: Source, request: Request) -> None:
        self.known, self.meta, self.source, self.request, self.plan = (
            known,
            known.meta,
            source,
            request,
            known.meta.plan,
        )
        self.kind: Any = self.plan.request
        self.note = self.unknown = ""
        self.look: RawIds = known.look.own()
        self.day = request.day or self.meta.day.next()
        if self.day <= self.meta.day:
            raise UsageError(f"day {self.day}: the release stands at the end of {self.meta.day}; ask for a later day")
        names = self.kind.owner_columns
        if len(request.owner) != len(names):
            raise UsageError(f"the owner of a history is {', '.join(names)}; {len(request.owner)} ids were given")
        self.owner = {name: self.typed(name, raw) for name, raw in zip(names, request.owner, strict=True)}
        self.ids = tuple(flat(each).tolist()[0] for each in self.owner.values())

    def assembled(self) -> Assembled | None:
        """The features of the request and its candidates, in raw ids; ``None`` where there is nothing to score."""
        if not self.is_known(self.source.fetch(self.of_owner())):
            self.unknown = ", ".join(f"{name} {raw}" for name, raw in zip(self.owner, self.ids, strict=True))
        posed = self.posed()
        if posed is None:
            return None
        state = self.state(posed)
        bags = self.known.bags.asked(self.source, self.look, posed.rows.requests)
        return assemble(
            self.plan, posed.rows, self.look, replace(state, bags=bags.tables), last_year=posed.last_year,
            candidates=posed.candidates, scores=bags.scores,
        )  # fmt: skip

    def of_owner(self) -> dict[str, list[str]]:
        """Fields by part that the owner alone tells to be wanted: they are read at once."""
        fields = {part.part: [self._of_owner(column)] for part, column in self.known.counters.own}
        if self.kind.settings.user in self.owner:
            fields["profiles"] = [self._of_owner(self.kind.settings.user)]
        fields |= self.known.bags.of_owner({name: self._of_owner(name) for name in self.owner})
        return {**fields, "histories": [field_of(*self.ids)]}

    def is_known(self, found: Mapping[str, Any]) -> bool:
        """Whether the release says anything of who asks.

        Args:
            found: what it has of ``of_owner``.
        """
        return any(found.values())

    def state(self, posed: Posed) -> FeatureState:
        """The feature state as far as the request reads it; of anything else it says that there was nothing."""
        empty: FeatureState = self.known.empty
        self._learn(posed.rows.requests)
        counters = {**self.known.counters.tables, **self._own_counters()}
        owner = self.look.owner(self.ids)
        histories = small_history(self.meta, self.look, owner, posed.history, empty.histories)
        return replace(empty, counters=counters, histories=histories)

    @abstractmethod
    def posed(self) -> Posed | None:
        """The request's rows, and what the release knows of them; ``None``, and a note, where nothing can be asked."""

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

    def _of_owner(self, column: str) -> str:
        return field_of(flat(self.owner[column]).tolist()[0])

    def _own_counters(self) -> dict[Group, CounterTable]:
        """The cells of the keys that begin with the owner."""
        counters, empty = self.known.counters, self.known.empty.counters
        found = self.source.fetch({part.part: [self._of_owner(column)] for part, column in counters.own})
        first = {column: codes_of(flat(each)) for column, each in self.owner.items()}
        return {
            part.group: own_counters(
                self.meta, part, first[column], found[part.part], empty[part.group], counters.codes
            )
            for part, column in counters.own
        }

    def _learn(self, requests: Frame) -> None:
        """Have the counters of the request's own ids read that are not its owner's."""
        features = self.plan.features
        self.known.counters.learn(self.source, {
            part.part: first_ids(self.plan, features[part.key[0]], requests) for part in self.known.counters.of_rows
        })  # fmt: skip


def repeated(frame: Frame, rows: int) -> dict[str, Column]:
    """The columns of a frame of one row, that row ``rows`` times."""
    return dict(frame.columns) if rows == 1 else dict(frame.take(np.zeros(rows, np.int64)).columns)
