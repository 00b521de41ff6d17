"""A job's features made ready for building: where each comes from, which id space each column is mapped in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from models.schema import Feature, FeatureSchema, Kind, Side
from pipeline.config import JobConfig
from pipeline.config.features import Counter, FeatureSettings
from pipeline.config.requests import Package
from pipeline.errors import ConfigError
from pipeline.features.groups import check_groups
from pipeline.features.id_rules import rule_problem
from pipeline.features.log_requests import check_log
from pipeline.features.outcomes import check_outcomes, outcome_problem
from pipeline.features.row_parts import ROW, row_parts

FRAMES = ("row", "user", "item", "history", "last_year", "study", "style_counts", "calendar")
ROLES = ("key", "chapters", "sections", "style", "reflect")
"""Columns of the frame ``item`` of a ranking job."""
PACKAGE_SPACE = "package"
STYLE_COUNTS = "style_counts"
COUNTED_DAYS = ("day", "window")
"""Columns of the frame ``style_counts``: the newest earlier day that has any, and all days of the window."""
_PARTS = {"chapters": "chapters", "sections": "sections", "styles": "style"}
"""Parts of a ranking job's history, and the role of the packages that each is made of."""


@dataclass(frozen=True)
class PlannedFeature:
    """One feature: its settings, its shape, and the columns it is made of as (frame, column)."""

    name: str
    settings: FeatureSettings
    feature: Feature
    columns: tuple[tuple[str, str], ...]

    @property
    def frame(self) -> str | None:
        """The frame of its columns; none for a counter."""
        return self.columns[0][0] if self.columns else None

    @property
    def column(self) -> str:
        return self.columns[0][1]

    @property
    def plain(self) -> bool:
        """Whether its ids are those of its columns, and not made of them by a rule."""
        return self.settings.digits is None and self.settings.compose is None

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of its columns in a ``Frame``."""
        return tuple(f"{frame}.{column}" for frame, column in self.columns)


class Plan:
    """Everything about a job's features that does not change from day to day; raises ``ConfigError``."""

    def __init__(self, config: JobConfig) -> None:
        self.config = config
        self.schema: FeatureSchema = config.feature_schema()
        self.features: dict[str, PlannedFeature] = {
            name: PlannedFeature(name, settings, self.schema[name], _columns(name, settings))
            for name, settings in config.features.items()
        }
        self._check()
        check_outcomes(config, self._frame_tables())
        check_log(config, [(f"features.{f.name}.source", c) for f in self.of_frame("row") for _, c in f.columns])
        frames = {frame: config.tables[table] for frame, table in self._frame_tables().items()}
        chapters = f"row.{config.ranking.package.chapters}" if config.ranking is not None else None
        check_groups(self.schema, self.features, frames, chapters)
        # Looked at now, so that a mistake is told at `config check` and not by a day's run.
        self._spaces = self._identity_spaces()
        self.history_parts: Mapping[str, str] = self._history_parts()
        self.row_parts: Mapping[str, PlannedFeature] = row_parts(config, self.features)

    @property
    def ranking(self) -> bool:
        return self.config.kind == "ranking"

    def of_frame(self, *frames: str) -> list[PlannedFeature]:
        return [f for f in self.features.values() if f.frame in frames]

    def counters(self, side: Side | None = None) -> dict[str, Counter]:
        return {
            f.name: f.settings.counter
            for f in self.features.values()
            if f.settings.counter is not None and (side is None or f.feature.side is side)
        }

    @cached_property
    def key_features(self) -> tuple[str, ...]:
        """Features that are part of a counter's key, in declared order."""
        used = {key for counter in self.counters().values() for key in counter.key}
        return tuple(name for name in self.features if name in used)

    def space_kind(self, space: str) -> str:
        """``int`` or ``str``; spaces that no feature declares are ours and hold text."""
        return self.config.spaces.get(space, "str")

    @property
    def spaces(self) -> dict[str, str]:
        """Every id space that is mapped, and its kind: those that features use, then ours."""
        used = dict.fromkeys(f.feature.space for f in self.features.values() if f.feature.space is not None)
        used.update(dict.fromkeys(self._spaces.values()))
        used.update(dict.fromkeys(self.history_parts.values()))
        return {space: self.space_kind(space) for space in used}

    @property
    def user_space(self) -> str:
        return self._spaces["user"]

    @property
    def owner_spaces(self) -> tuple[str, ...]:
        """Spaces of the columns that together own a history."""
        return tuple(space for name, space in self._spaces.items() if name.startswith("owner."))

    @property
    def owner_columns(self) -> tuple[str, ...]:
        ranking, impressions = self.config.ranking, self.config.impressions
        return ranking.owner if ranking is not None else (impressions.user,) if impressions is not None else ()

    @property
    def item_space(self) -> str:
        """Space of packages (ranking) or items (impressions)."""
        return self._spaces["item"]

    @property
    def study_owner_space(self) -> str | None:
        return self._spaces.get("study")

    @property
    def counted_space(self) -> str | None:
        """The id space of the table of style counts; none where no feature is made of it."""
        return self._spaces.get("style_counts")

    def role_space(self, role: str) -> str | None:
        """The id space in which a package's ``role`` is mapped; none where no feature uses it."""
        if role == "key":
            return self.item_space
        spaces = {f.feature.space for f in self.of_frame("item") if f.column == role and f.plain}
        spaces |= {self._part_space(part) for part, of in _PARTS.items() if of == role}
        ranking = self.config.ranking
        if spaces <= {None} and role == "chapters" and ranking is not None:
            chapters = (("row", ranking.package.chapters),)
            spaces = {f.feature.space for f in self.features.values() if f.columns == chapters}
        return _one_space(spaces, f"item.{role}")

    @cached_property
    def roles(self) -> dict[str, str]:
        """Roles of packages that are mapped, with their id spaces; ``key`` first."""
        found = {role: self.role_space(role) for role in ROLES}
        return {role: space for role, space in found.items() if space is not None}

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

    def style_counts(self) -> PlannedFeature | None:
        return next((f for f in self.of_frame("history") if f.column == STYLE_COUNTS), None)

    def part_role(self, part: str) -> str:
        """The role of packages that a ranking job's history part holds."""
        return _PARTS[part]

    def _part_space(self, part: str) -> str | None:
        found = {f.feature.space for f in self.of_frame("history", "last_year") if f.column == part and f.plain}
        return _one_space(found, f"history.{part}")

    def _history_parts(self) -> dict[str, str]:
        """Every part that the job's histories keep, with its id space."""
        config = self.config
        if config.ranking is not None:
            kept = ("chapters", "sections", *(("styles",) if config.ranking.package.style is not None else ()))
            by_part = {part: self.role_space(_PARTS[part]) for part in kept}
            return {part: space for part, space in by_part.items() if space is not None}
        assert config.impressions is not None
        parts = {"items": self.item_space}
        for part in config.impressions.history_parts:
            items = {f.feature.space for f in self.of_frame("item") if f.column == part and f.plain}
            space = _one_space(items | {self._part_space(part)}, f"item.{part}")
            if space is None:
                other = "" if part.startswith(ROW) else f"item.{part} or "
                raise ConfigError(
                    f"impressions.history_parts: '{part}' has no id space; declare a feature with source {other}"
                    f"history.{part}"
                )
            parts[part] = space
        return parts

    def _identity_spaces(self) -> dict[str, str]:
        config = self.config
        if config.ranking is not None:
            found = {"user": self._space_of("row", config.ranking.user, "ranking.user")}
            found |= {f"owner.{c}": self._space_of("row", c, "ranking.owner") for c in config.ranking.owner}
            found["item"] = next(
                (f.feature.space for f in self.of_frame("item") if f.column == "key" and f.feature.space), PACKAGE_SPACE
            )
            if config.ranking.study is not None and self.of_frame("study"):
                found["study"] = self._space_of("row", config.ranking.study.owner, "ranking.study.owner")
            if config.ranking.style_counts is not None and self.of_frame("style_counts"):
                found["style_counts"] = config.ranking.style_counts.space
            for name in dict.fromkeys([*self.group_columns, *self.own_columns]):
                found[f"group.{name}"] = self._space_of(*_split(name), "history.last_year.match")
            return found
        assert config.impressions is not None
        user = self._space_of("row", config.impressions.user, "impressions.user")
        return {
            "user": user,
            f"owner.{config.impressions.user}": user,
            "item": self._space_of("item", config.impressions.item, "impressions.item"),
        }

    def _space_of(self, frame: str, column: str, setting: str) -> str:
        for f in self.features.values():
            plain = f.settings.buckets is None and f.settings.part is None and f.plain
            if f.columns == ((frame, column),) and f.feature.kind is Kind.CATEGORICAL and plain and f.feature.space:
                return f.feature.space
        side = "item" if frame == "item" else "request"
        raise ConfigError(
            f"{setting}: '{column}' needs a feature of its own, so that it has an id space: "
            f"{{kind: categorical, side: {side}, space: …, source: {frame}.{column}, input: false}}"
        )

    def _check(self) -> None:
        config = self.config
        for planned in self.features.values():
            if planned.settings.counter is not None:
                continue
            _check_side(planned, self.ranking)
            for frame, column in planned.columns:
                problem = self._problem(planned, frame, column)
                if problem is None and not planned.plain:
                    table = self._frame_tables().get(frame)
                    problem = rule_problem(config, planned.settings, frame, _PARTS.get(column, column), table)
                if problem:
                    raise ConfigError(f"features.{planned.name}.source: '{frame}.{column}': {problem}")
        tables = config.tables
        named: list[tuple[str, str | None]] = [("rows", config.ranking.rows if config.ranking else None)]
        if config.ranking is not None:
            ranking = config.ranking
            named += [("candidates.table", ranking.candidates.table)]
            named += [("labels.clicks.table", ranking.labels.clicks.table if ranking.labels.clicks else None)]
            named += [("labels.clicks.offered", ranking.labels.clicks.offered if ranking.labels.clicks else None)]
            named += [("base_chapters.table", ranking.base_chapters.table if ranking.base_chapters else None)]
            named += [("profile.table", ranking.profile.table if ranking.profile else None)]
            named += [("study.table", ranking.study.table if ranking.study else None)]
            named += [("style_counts.table", ranking.style_counts.table if ranking.style_counts else None)]
        if config.impressions is not None:
            named = [("rows", config.impressions.rows)]
            named += [("profile.table", config.impressions.profile.table if config.impressions.profile else None)]
            named += [("items.table", config.impressions.items.table if config.impressions.items else None)]
        for setting, table in named:
            if table is not None and table not in tables:
                raise ConfigError(f"{config.kind}.{setting}: '{table}' is not declared under `tables`")

    def _problem(self, planned: PlannedFeature, frame: str, column: str) -> str | None:
        """What is wrong with one source, if anything."""
        config = self.config
        if frame == "calendar":
            return None if column == "weekday" else "the calendar has `weekday` only"
        if frame == "study":
            study = config.ranking.study if config.ranking else None
            if study is None:
                return "the job has no `ranking.study`"
            size = len(study.values) + 1
            if planned.feature.size != size:
                return f"needs size {size}: the {size - 1} values and the number of sections that have them"
            return None if planned.feature.kind is Kind.DENSE else "is dense"
        if frame == "style_counts":
            if config.ranking is None or config.ranking.style_counts is None:
                return "the job has no `ranking.style_counts`"
            if column not in COUNTED_DAYS:
                return f"no such counts; one of {', '.join(COUNTED_DAYS)}"
            return None if planned.feature.kind is Kind.DENSE else "is dense"
        if frame == "last_year" and config.history.last_year is None:
            return "the job has no `history.last_year`"
        changed = planned.settings.buckets is not None or planned.settings.part is not None
        if frame in ("history", "last_year") and changed and not column.startswith(ROW):
            return "a history keeps the ids of its items: `buckets` and `part` change nothing of it"
        if frame in ("history", "last_year") and self.ranking:
            if frame == "history" and column == STYLE_COUNTS:
                return None if planned.feature.kind is Kind.DENSE else "is dense"
            parts = tuple(p for p in _PARTS if p != "styles" or (config.ranking and config.ranking.package.style))
            if column not in parts:
                return f"no such part; one of {', '.join(parts)}"
            return None if planned.feature.kind is Kind.BAG_SEQUENCE else "is a bag_sequence"
        if frame == "last_year":
            return "an impression has no last year's history"
        if frame == "history":
            assert config.impressions is not None
            parts = ("items", *config.impressions.history_parts)
            if column not in parts:
                return f"no such part; one of {', '.join(parts)} (see impressions.history_parts)"
            ok = planned.feature.kind in (Kind.SEQUENCE, Kind.BAG_SEQUENCE)
            return None if ok else "is a sequence or a bag_sequence"
        if frame == "item" and self.ranking:
            if column not in ROLES:
                return f"no such column of a package; one of {', '.join(ROLES)}"
            if planned.settings.buckets is not None or planned.settings.part is not None or not planned.feature.has_ids:
                return "columns of a package are ids as they are, or their `digits`"
            return self._package_problem(config.ranking.package, column) if config.ranking else None
        return self._table_problem(planned, frame, column)

    @staticmethod
    def _package_problem(package: Package, role: str) -> str | None:
        absent = (role == "style" and package.style is None) or (role == "reflect" and package.reflect is None)
        return f"`ranking.package` names no {role} column" if absent else None

    def _frame_tables(self) -> dict[str, str]:
        """By frame, the table that ``row``, ``user`` and ``item`` are columns of, where the job has it."""
        section = self.config.ranking or self.config.impressions
        assert section is not None
        items = self.config.impressions.items if self.config.impressions else None
        named = {"row": section.rows}
        named |= {frame: each.table for frame, each in (("user", section.profile), ("item", items)) if each is not None}
        return named

    def _table_problem(self, planned: PlannedFeature, frame: str, column: str) -> str | None:
        ranking, impressions = self.config.ranking, self.config.impressions
        table = self._frame_tables().get(frame)
        if table is None:
            return f"the job has no {'profile' if frame == 'user' else 'items'} table"
        if table in self.config.tables and column not in self.config.tables[table].columns:
            return f"the table '{table}' declares no such column"
        if planned.feature.kind is Kind.BAG_SEQUENCE:
            return "is a column of one row; a bag_sequence is made of `history.` or `last_year.`"
        if ranking is not None and frame == "row" and column != ranking.package.chapters:
            package = ranking.package
            if column in (package.sections, package.style, package.reflect):
                return "what was set is the label; on the request's side it would give the answer away"
        if impressions is not None and frame == "row" and column == impressions.label:
            return "is the label"
        return outcome_problem(self.config, table, column)


def _one_space(spaces: set[str | None], what: str) -> str | None:
    found = sorted(space for space in spaces if space is not None)
    if len(found) > 1:
        raise ConfigError(f"features: {what} is mapped in several id spaces: {', '.join(found)}; use one")
    return found[0] if found else None


def _split(source: str) -> tuple[str, str]:
    frame, _, column = source.partition(".")
    return frame, column


def _columns(name: str, settings: FeatureSettings) -> tuple[tuple[str, str], ...]:
    if settings.source is None:
        return ()
    sources: Iterable[str] = (settings.source,) if isinstance(settings.source, str) else settings.source
    columns = []
    for source in sources:
        frame, _, column = source.partition(".")
        if frame not in FRAMES or (not column and frame != "study"):
            raise ConfigError(
                f"features.{name}.source: '{source}' is not <frame>.<column> with one of the frames {', '.join(FRAMES)}"
            )
        columns.append((frame, column))
    if len({frame for frame, _ in columns}) > 1 or (len(columns) > 1 and settings.kind not in (Kind.BAG, Kind.DENSE)):
        raise ConfigError(f"features.{name}.source: several columns make a bag or dense values, of one frame")
    if settings.kind is Kind.DENSE and len(columns) > 1 and settings.size != len(columns):
        raise ConfigError(f"features.{name}.size: {settings.size}, but `source` names {len(columns)} columns")
    return tuple(columns)


def _check_side(planned: PlannedFeature, ranking: bool) -> None:
    allowed = {
        "row": ("request",) if ranking else ("request", "pair"),
        "user": ("request",), "calendar": ("request",), "history": ("request",), "last_year": ("request",),
        "style_counts": ("request",), "item": ("item",), "study": ("pair",),
    }[planned.frame or "row"]  # fmt: skip
    side = planned.feature.side.value
    if side not in allowed:
        raise ConfigError(
            f"features.{planned.name}.side: '{side}', but `{planned.frame}.` columns are on the side "
            f"{' or '.join(allowed)}"
        )
