"""A request of a ranking job: which packages of its chapters the teacher would set the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from models.schema import MISSING_INT, MISSING_STR
from pipeline.days import Day
from pipeline.features.arrays.last_year_codes import group_codes
from pipeline.features.arrays.request_histories import LastYear
from pipeline.features.frames.frame import Array, Column, Frame, Lists
from pipeline.features.ids.fingerprints import are_known, key_of
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.rows.day import flat
from pipeline.features.rows.homework_day import HomeworkDay, Judged
from pipeline.features.state.latest import LatestTable
from pipeline.features.state.state import FeatureState
from pipeline.release.contents.keyed_parts import field_of
from pipeline.serving.homework_state import small_latest, small_style_counts
from pipeline.serving.known_packages import KnownPackages
from pipeline.serving.raw_look_up import array_of
from pipeline.serving.request import canonical
from pipeline.serving.situation import Posed, Situation, repeated


class HomeworkRequest(Situation):
    """The packages of the chapters asked for: one list, or one a chapter (``ranking.per_chapter``)."""

    kind: HomeworkPlan
    known: KnownPackages

    def of_owner(self) -> dict[str, list[str]]:
        name, study = field_of(*self.ids), self.kind.settings.study
        fields = {**super().of_owner(), "contexts": [name], "style_counts": [name]}
        if study is not None and study.owner in self.owner:
            fields["study"] = [field_of(flat(self.owner[study.owner]).tolist()[0])]
        return fields

    def is_known(self, found: Mapping[str, Any]) -> bool:
        """Of the class: its teacher may be known by others."""
        return any(found.get(part) for part in ("histories", "contexts", "style_counts", "study"))

    def posed(self) -> Posed | None:
        settings = self.kind.settings
        name = field_of(*self.ids)
        own = self.source.fetch({"histories": [name], "contexts": [name]})
        history = own["histories"].get(name)
        chapters = self._chapters(history)
        if chapters is None:
            return None
        frame = self.frame(self._own_columns(own["contexts"].get(name)), settings.user)
        if not self.known.learn(self.source, chapters.tolist()):
            self.note = f"no candidates for the chapters {', '.join(map(str, chapters.tolist()))}"
            return None
        rows = self._rows(frame, chapters)
        last_year = self._last_year(frame, rows.requests.rows) if self.plan.of_frame("last_year") else None
        return Posed(rows, history, self.known.made(rows), last_year)

    def state(self, posed: Posed) -> FeatureState:
        state, name = super().state(posed), field_of(*self.ids)
        found = self.source.fetch({"style_counts": [name]})["style_counts"].get(name)
        owner = self.look.owner(self.ids)
        return replace(
            state, latest=self._latest(posed.rows.requests, state.latest),
            counts_by_id=small_style_counts(self.kind, self.look, owner, found, state.counts_by_id),
        )  # fmt: skip

    def _chapters(self, history: Mapping[str, Any] | None) -> Array | None:
        """The base chapters asked for, ascending; ``None`` where none are known."""
        kind = self.plan.space_kind(self.kind.roles["chapters"])
        if self.request.chapters is not None:
            given = canonical("chapters", list(self.request.chapters), kind)
            values = self.known.base_chapters(self.source, given.tolist())
        elif history is not None and history["days"]:
            values = history["chapters"][-1]
            self.note = f"chapters of {Day(history['days'][-1])}: {', '.join(map(str, values))}"
        else:
            self.note = "no homework day is known of this owner; give its chapters"
            return None
        return array_of(sorted(set(values)), kind)

    def _own_columns(self, context: Sequence[Any] | None) -> dict[str, Column]:
        """The request's own columns: as given, else of the owner's newest row, else missing."""
        newest = self.meta.frame("contexts", [context])
        found: dict[str, Column] = {}
        for name in self.kind.row_columns:
            if name in self.owner:
                found[f"row.{name}"] = self.owner[name]
            elif name in self.request.context or f"row.{name}" not in newest:
                found[f"row.{name}"] = self.given(name)
            else:
                found[f"row.{name}"] = newest[f"row.{name}"]
        return found

    def _rows(self, frame: Frame, chapters: Array) -> HomeworkDay:
        settings = self.kind.settings
        alone = settings.per_chapter and len(chapters) > 1
        count = len(chapters) if alone else 1
        ends = np.arange(count + 1, dtype=np.int64) if alone else np.array([0, len(chapters)], np.int64)
        requests = Frame(count, {**repeated(frame, count), f"row.{settings.package.chapters}": Lists(ends, chapters)})
        return HomeworkDay(
            day=self.day, events=requests, label=np.zeros(count, np.int8), items=Frame(0, {}),
            event_item=np.zeros(0, np.int64), requests=requests, weight=np.ones(count, np.float32),
            judged=Judged.nothing(),
        )  # fmt: skip

    def _latest(self, requests: Frame, empty: LatestTable) -> LatestTable:
        """The study values of who masters the sections."""
        study, space = self.kind.settings.study, self.kind.study_owner_space
        if study is None or space is None:
            return empty
        raw = flat(requests[f"row.{study.owner}"]).tolist()[0]
        found = self.source.fetch({"study": [field_of(raw)]})["study"].get(field_of(raw))
        return small_latest(self.kind, self.look, space, raw, found, empty)

    def _last_year(self, frame: Frame, requests: int) -> LastYear:
        """Windows of the class's own last year, else of its group's, the same for every request."""
        own = self._group(self.kind.own_columns, frame)
        found = self.source.fetch({"last_year_own": own})["last_year_own"] if own else {}
        windows = self.known.windows(found[own[0]]) if found else self._of_group(frame)
        return {part: np.repeat(each, requests, axis=0) if requests > 1 else each for part, each in windows.items()}

    def _of_group(self, frame: Frame) -> LastYear:
        columns = self.kind.group_columns
        named = tuple(flat(frame[name]).item() for name in columns)
        if MISSING_INT in named or MISSING_STR in named:
            named = ()
        return self.known.last_year(self.source, named, lambda: self._group(columns, frame))

    def _group(self, columns: tuple[str, ...], frame: Frame) -> list[str]:
        """The field of the row's group; none where a column is missing."""
        codes = group_codes(self.plan, self.kind, columns, frame)
        return [str(int(key_of(*codes)[0]))] if codes and are_known(*codes).all() else []
