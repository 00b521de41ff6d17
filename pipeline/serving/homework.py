"""A request of a ranking job: which packages of its chapters the teacher would set the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.days import Day
from pipeline.features.arrays.feature_codes import group_codes
from pipeline.features.arrays.pool import Pool
from pipeline.features.arrays.raw_values import package_ids
from pipeline.features.arrays.request_histories import LastYear
from pipeline.features.frames.frame import Array, Column, Frame, Lists
from pipeline.features.ids.fingerprints import PADDING, are_known, key_of
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.homework import ROLES, HomeworkPlan
from pipeline.features.rows.day import flat
from pipeline.features.rows.homework_day import HomeworkDay, Judged
from pipeline.features.rows.packages import sorted_distinct
from pipeline.features.state.latest import LatestTable
from pipeline.features.state.state import FeatureState
from pipeline.release.contents.keyed_parts import field_of
from pipeline.serving.homework_state import small_latest, small_style_counts
from pipeline.serving.raw_look_up import RawIds, array_of
from pipeline.serving.request import canonical
from pipeline.serving.situation import Posed, Situation, repeated


class HomeworkRequest(Situation):
    """The packages of the chapters asked for: one list, or one a chapter (``ranking.per_chapter``)."""

    kind: HomeworkPlan

    def posed(self) -> Posed | None:
        settings = self.kind.settings
        name = field_of(*self.ids)
        own = self.source.fetch({"histories": [name], "contexts": [name]})
        history = own["histories"].get(name)
        chapters = self._chapters(history)
        if chapters is None:
            return None
        frame = self.frame(self._own_columns(own["contexts"].get(name)), settings.user)
        listed = self.source.shared({"candidates": [field_of(each) for each in chapters.tolist()]})["candidates"]
        order: dict[str, int] = {}
        for each in listed.values():
            order.update(zip(each["keys"], each["order"], strict=True))
        packages = self.source.shared({"packages": [field_of(key) for key in order]})["packages"]
        if not packages:
            self.note = f"no candidates for the chapters {', '.join(map(str, chapters.tolist()))}"
            return None
        rows = self._rows(frame, chapters, packages)
        last_year = self._last_year(frame, rows.requests.rows) if self.plan.of_frame("last_year") else None
        return Posed(rows, history, self._pool(listed, packages, order), last_year)

    def item_ids(self, planned: PlannedFeature, rows: HomeworkDay) -> Array:
        lists, space = rows.role(planned.column), str(planned.feature.space)
        lists = lists if planned.plain else package_ids(planned, lists, self.plan.space_kind(space))
        return lists.padded(1, self.look.unknown(space))[:, 0]

    def looked_up(self) -> RawIds:
        counted = ((self.kind.history_parts.get("styles"), self.meta.styles),
                   (self.kind.counted_space, self.meta.counted_styles))  # fmt: skip
        return RawIds(self.plan, [(space, styles) for space, styles in counted if space is not None])

    def known_state(self, state: FeatureState, posed: Posed) -> FeatureState:
        found = self.source.fetch({"style_counts": [field_of(*self.ids)]})["style_counts"].get(field_of(*self.ids))
        owner = self.look.owner(self.ids)
        return replace(
            state, latest=self._latest(posed.rows.requests, state.latest),
            style_counts=small_style_counts(self.kind, self.look, owner, found, state.style_counts),
        )  # fmt: skip

    def _chapters(self, history: Mapping[str, Any] | None) -> Array | None:
        """The base chapters asked for, ascending; ``None`` where none are known."""
        kind = self.plan.space_kind(self.kind.roles["chapters"])
        if self.request.chapters is not None:
            given = canonical("chapters", list(self.request.chapters), kind)
            fields = [field_of(each) for each in given.tolist()]
            base = self.source.shared({"base_chapters": fields})["base_chapters"]
            values = [base.get(name, raw) for name, raw in zip(fields, given.tolist(), strict=True)]
        elif history is not None and history["days"]:
            values = history["chapters"][-1]
            self.note = f"chapters of {Day(history['days'][-1])}: {', '.join(map(str, values))}"
        else:
            self.note = "no homework day is known of this owner; give its chapters"
            return None
        return sorted_distinct(Lists.of([values], np.int64 if kind == "int" else object)).values

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

    def _rows(self, frame: Frame, chapters: Array, packages: Mapping[str, Any]) -> HomeworkDay:
        settings = self.kind.settings
        alone = settings.per_chapter and len(chapters) > 1
        count = len(chapters) if alone else 1
        ends = np.arange(count + 1, dtype=np.int64) if alone else np.array([0, len(chapters)], np.int64)
        requests = Frame(count, {**repeated(frame, count), f"row.{settings.package.chapters}": Lists(ends, chapters)})
        items: dict[str, Column] = {"item.key": array_of(packages, "str")}
        for role in ROLES[1:]:
            space = self.kind.roles.get(role)
            kind = self.plan.space_kind(space) if space is not None else "int"
            values = [package.get(role, []) for package in packages.values()]
            items[f"item.{role}"] = Lists.of(values, np.int64 if kind == "int" else object)
        return HomeworkDay(
            day=self.day, events=requests, label=np.zeros(count, np.int8), items=Frame(len(packages), items),
            event_item=np.zeros(count, np.int64), requests=requests, weight=np.ones(count, np.float32),
            judged=Judged.nothing(),
        )  # fmt: skip

    def _pool(self, listed: Mapping[str, Any], packages: Mapping[str, Any], order: Mapping[str, int]) -> Pool:
        """The candidates of the request's chapters, in the release's order."""
        plan, kind, look = self.plan, self.kind, self.look
        at = {name: row for row, name in enumerate(packages)}
        roles = {}
        for role, space in kind.roles.items():
            if role != "key":
                values = [package.get(role, []) for package in packages.values()]
                ends = np.concatenate([[0], np.cumsum([len(each) for each in values])]).astype(np.int64)
                roles[role] = Lists(ends, look.codes(space, (value for each in values for value in each)))
        space = kind.roles["chapters"]
        whole = plan.space_kind(space) == "int"
        chapters = look.codes(space, (int(name) if whole else name for name in listed))
        members = Lists.of([[at[key] for key in each["keys"]] for each in listed.values()], np.int64)
        ascending = np.argsort(chapters)
        places = np.array([order[name] for name in packages], np.int64)
        return Pool(look.codes(kind.item_space, packages), roles, chapters[ascending], members.take(ascending), places)

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
        rule, kind = self.plan.config.history, self.kind
        found = self._last_year_of("last_year_own", kind.own_columns, frame)
        found = found or self._last_year_of("last_year", kind.group_columns, frame)
        windows = {}
        for part in {f.column for f in self.plan.of_frame("last_year")}:
            days = found[part] if found is not None else [[]] * rule.length
            ends = np.concatenate([[0], np.cumsum([len(day) for day in days])]).astype(np.int64)
            codes = self.look.codes(kind.history_parts[part], (value for day in days for value in day))
            window = Lists(ends, codes).padded(rule.last_year.values if rule.last_year is not None else 1, PADDING)
            windows[part] = np.repeat(window[None], requests, axis=0)
        return windows

    def _last_year_of(self, part: str, columns: tuple[str, ...], frame: Frame) -> Mapping[str, Any] | None:
        codes = group_codes(self.plan, self.kind, columns, frame)
        if not codes or not are_known(*codes).all():
            return None
        group = str(int(key_of(*codes)[0]))
        found: Mapping[str, Any] | None = self.source.fetch({part: [group]})[part].get(group)
        return found
