"""Features of jobs whose requests are for homework: a class and its teacher own a history of days of packages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar

from models.schema import Kind
from pipeline.config.homework import Homework
from pipeline.config.negatives import Negatives
from pipeline.features.plan.declared import PlannedFeature, one_space, split_source
from pipeline.features.plan.homework_tables import check_columns, deciding, named_columns, named_tables
from pipeline.features.plan.id_rules import rule_problem
from pipeline.features.plan.request import RequestPlan, kept_as_it_is

ROLES = ("key", "chapters", "sections", "style", "reflect")
"""Columns of the frame ``item``: what a package is made of."""
PACKAGE_SPACE = "package"
STYLE_COUNTS = "style_counts"
COUNTED_DAYS = ("day", "window")
"""Columns of the frame ``style_counts``: the newest earlier day that has any, and all days of the window."""
HISTORY_PARTS = {"chapters": "chapters", "sections": "sections", "styles": "style"}
"""Parts of a history, and the role of the packages that each is made of."""


class HomeworkPlan(RequestPlan):
    """What requests for homework make of a job's features.

    Frames of their own: ``last_year`` (parts of last year's histories), ``study`` (values of a request and a package),
    ``style_counts`` (``day``: of the owner's newest earlier day that has any, ``window``: of all days of the history).
    """

    sides: ClassVar = {
        "row": ("request",), "user": ("request",), "item": ("item",), "history": ("request",),
        "last_year": ("request",), "study": ("pair",), "style_counts": ("request",), "calendar": ("request",),
    }  # fmt: skip

    bare = ("study",)
    settings: Homework

    @property
    def owner_columns(self) -> tuple[str, ...]:
        return self.settings.owner

    @property
    def study_owner_space(self) -> str | None:
        return self._spaces.get("study")

    @property
    def counted_space(self) -> str | None:
        """The id space of the table of style counts; none where no feature is made of it."""
        return self._spaces.get("style_counts")

    @cached_property
    def roles(self) -> dict[str, str]:
        """Roles of packages that are mapped, with their id spaces; ``key`` first."""
        found = {role: self.role_space(role) for role in ROLES}
        return {role: space for role, space in found.items() if space is not None}

    def role_space(self, role: str) -> str | None:
        """The id space in which a package's ``role`` is mapped; none where no feature uses it."""
        if role == "key":
            return self.item_space
        spaces = {f.feature.space for f in self.features.of_frame("item") if f.column == role and f.plain}
        spaces |= {self.part_space(part) for part, of in HISTORY_PARTS.items() if of == role}
        if spaces <= {None} and role == "chapters":
            chapters = (("row", self.settings.package.chapters),)
            spaces = {f.feature.space for f in self.features.values() if f.columns == chapters}
        return one_space(spaces, f"item.{role}")

    def part_role(self, part: str) -> str:
        """The role of packages that a part of the histories holds."""
        return HISTORY_PARTS[part]

    @property
    def group_columns(self) -> tuple[str, ...]:
        """Columns that classes share whose homework of last year stands in, as ``row.…`` and ``user.…``."""
        last_year = self.config.history.last_year
        return last_year.match if last_year is not None else ()

    @property
    def own_columns(self) -> tuple[str, ...]:
        """Columns that tell a class's own earlier history, of any teacher."""
        last_year = self.config.history.last_year
        return last_year.own_match if last_year is not None else ()

    def group_space(self, column: str) -> str:
        return self._spaces[f"group.{column}"]

    @property
    def row_columns(self) -> list[str]:
        """Those of the features, of whose the request is and of what is matched; its chapters are told apart."""
        settings = self.settings
        names = [*settings.owner, settings.user, *(c for f in self.features.of_frame("row") for _, c in f.columns)]
        names += self._matched("row")
        return [name for name in dict.fromkeys(names) if name != settings.package.chapters]

    @property
    def context_columns(self) -> list[str]:
        return [name for name in self.row_columns if name not in (*self.settings.owner, self.settings.user)]

    @property
    def user_columns(self) -> list[str]:
        settings = self.settings
        names = [c for f in self.features.of_frame("user") for _, c in f.columns] + self._matched("user")
        if settings.profile is not None and settings.profile.register_day is not None:
            names.append(settings.profile.register_day)
        if settings.weights is not None:
            names.append(settings.weights.column)
        return list(dict.fromkeys(names))

    @property
    def read_tables(self) -> set[str]:
        job, clicks = self.settings, self.settings.labels.clicks
        read = super().read_tables | ({clicks.table, clicks.offered} if clicks is not None else set())
        if job.candidates.table is not None:
            read.add(job.candidates.table)
        if job.base_chapters is not None:
            read.add(job.base_chapters.table)
        if job.study is not None and self.study_owner_space is not None:
            read.add(job.study.table)
        if job.style_counts is not None and self.counted_space is not None:
            read.add(job.style_counts.table)
        return read

    def _matched(self, frame: str) -> list[str]:
        replay = self.config.replay
        matched = [*self.group_columns, *self.own_columns, *(replay.match if replay is not None else ())]
        return [name.partition(".")[2] for name in matched if name.partition(".")[0] == frame]

    def style_counts(self) -> PlannedFeature | None:
        return next((f for f in self.features.of_frame("history") if f.column == STYLE_COUNTS), None)

    def source_problem(self, planned: PlannedFeature, frame: str, column: str) -> str | None:
        if frame == "study":
            return self._study_problem(planned)
        if frame == "style_counts":
            if self.settings.style_counts is None:
                return "the job has no `ranking.style_counts`"
            if column not in COUNTED_DAYS:
                return f"no such counts; one of {', '.join(COUNTED_DAYS)}"
            return _dense(planned)
        if frame == "last_year" and self.config.history.last_year is None:
            return "the job has no `history.last_year`"
        if frame in ("history", "last_year"):
            return kept_as_it_is(planned) or self._part_problem(planned, frame, column)
        if frame == "item":
            return self._role_problem(planned, column)
        return super().source_problem(planned, frame, column)

    def _study_problem(self, planned: PlannedFeature) -> str | None:
        if self.settings.study is None:
            return "the job has no `ranking.study`"
        size = len(self.settings.study.values) + 1
        if planned.feature.size != size:
            return f"needs size {size}: the {size - 1} values and the number of sections that have them"
        return _dense(planned)

    def _part_problem(self, planned: PlannedFeature, frame: str, column: str) -> str | None:
        if frame == "history" and planned.settings.needs_times:
            return "days of homework have no moments: sessions are `by: day`, and ages those of days (no `unit`)"
        if frame == "history" and planned.feature.kind is Kind.AGES:
            return None
        if frame == "history" and column == STYLE_COUNTS:
            return _dense(planned)
        parts = tuple(part for part in HISTORY_PARTS if part != "styles" or self.settings.package.style)
        if column not in parts:
            return f"no such part; one of {', '.join(parts)}"
        kinds = (Kind.BAG_SEQUENCE, Kind.SESSIONS) if frame == "history" else (Kind.BAG_SEQUENCE,)
        return None if planned.feature.kind in kinds else f"is a {' or made of '.join(kinds)}"

    def _role_problem(self, planned: PlannedFeature, role: str) -> str | None:
        if role not in ROLES:
            return f"no such column of a package; one of {', '.join(ROLES)}"
        if planned.settings.buckets is not None or planned.settings.part is not None or not planned.feature.has_ids:
            return "columns of a package are ids as they are, or their `digits`"
        package = self.settings.package
        absent = (role == "style" and package.style is None) or (role == "reflect" and package.reflect is None)
        return f"`ranking.package` names no {role} column" if absent else None

    def negatives_problem(self, planned: PlannedFeature, negatives: Negatives) -> str | None:
        if negatives.taken_from == "shown":
            return "`from: shown` is for impressions: a class is shown packages, and its steps are days; drop `from`"
        if planned.feature.kind is not Kind.BAG_SEQUENCE:
            return "are of days: give them to a bag_sequence"
        return super().negatives_problem(planned, negatives)

    def rule_problem(self, planned: PlannedFeature, frame: str, column: str) -> str | None:
        if frame not in ("item", "history", "last_year"):
            return super().rule_problem(planned, frame, column)
        role = HISTORY_PARTS.get(column, column)
        if role == "key" or planned.settings.compose is not None:
            return "`digits` are those of a package's chapters, sections, style or reflect; nothing of it is composed"
        named: str | None = getattr(self.settings.package, role)
        return rule_problem(planned.settings, self.config.tables, self.settings.rows, named)

    def _label_problem(self, column: str) -> str | None:
        package = self.settings.package
        if column != package.chapters and column in (package.sections, package.style, package.reflect):
            return "what was set is the label; on the request's side it would give the answer away"
        return None

    def _unpaired(self) -> dict[str, str]:
        chapters = f"row.{self.settings.package.chapters}"
        why = f"the request's chapters '{chapters}' are base chapters, sorted, each once: nothing is paired with them"
        apart = "the ids that a day has of one part are a set, in step with none of another"
        return {chapters: why, **{f"history.{part}": apart for part in HISTORY_PARTS}}

    def _named_tables(self) -> Iterator[tuple[str, str]]:
        return named_tables(self.settings)

    def _named_columns(self) -> Iterator[tuple[str, str, str]]:
        return named_columns(self.config, self.settings)

    def _deciding(self) -> Iterator[tuple[str, str, str]]:
        return deciding(self.config, self.settings)

    def _check_columns(self) -> None:
        super()._check_columns()
        check_columns(self.config, self.settings, self.features)

    def _history_parts(self) -> dict[str, str]:
        kept = ("chapters", "sections", *(("styles",) if self.settings.package.style is not None else ()))
        by_part = {part: self.role_space(HISTORY_PARTS[part]) for part in kept}
        return {part: space for part, space in by_part.items() if space is not None}

    def _identities(self) -> dict[str, str]:
        settings, space_of = self.settings, self.features.space_of
        found = {"user": space_of("row", settings.user, "ranking.user")}
        found |= {f"owner.{column}": space_of("row", column, "ranking.owner") for column in settings.owner}
        keys = (f.feature.space for f in self.features.of_frame("item") if f.column == "key" and f.feature.space)
        found["item"] = next(keys, PACKAGE_SPACE)
        if settings.study is not None and self.features.of_frame("study"):
            found["study"] = space_of("row", settings.study.owner, "ranking.study.owner")
        if settings.style_counts is not None and self.features.of_frame("style_counts"):
            found["style_counts"] = settings.style_counts.space
        for name in dict.fromkeys([*self.group_columns, *self.own_columns]):
            found[f"group.{name}"] = space_of(*split_source(name), "history.last_year.match")
        return found


def _dense(planned: PlannedFeature) -> str | None:
    return None if planned.feature.kind is Kind.DENSE else "is dense"
