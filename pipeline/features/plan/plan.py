"""A job's features made ready for building: where each comes from, which id space each column is mapped in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from models.schema import FeatureSchema, Kind, Side
from pipeline.config import JobConfig
from pipeline.config.features import Counter
from pipeline.errors import ConfigError
from pipeline.features.plan.checks import check_sources, frame_tables
from pipeline.features.plan.declared import (
    HISTORY_PARTS,
    PACKAGE_SPACE,
    ROLES,
    STYLE_COUNTS,
    PlannedFeature,
    columns_of,
    one_space,
    split_source,
)
from pipeline.features.plan.groups import check_groups
from pipeline.features.plan.log_requests import check_log
from pipeline.features.plan.named_columns import check_named_columns
from pipeline.features.plan.outcomes import check_outcomes
from pipeline.features.plan.row_parts import ROW, row_parts


class Plan:
    """Everything about a job's features that does not change from day to day; raises ``ConfigError``."""

    def __init__(self, config: JobConfig) -> None:
        self.config = config
        self.schema: FeatureSchema = config.feature_schema()
        self.features: dict[str, PlannedFeature] = {
            name: PlannedFeature(name, settings, self.schema[name], columns_of(name, settings))
            for name, settings in config.features.items()
        }
        check_sources(config, self.features)
        check_named_columns(config)
        check_outcomes(config, frame_tables(config))
        check_log(config, [(f"features.{f.name}.source", c) for f in self.of_frame("row") for _, c in f.columns])
        frames = {frame: config.tables[table] for frame, table in frame_tables(config).items()}
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
        spaces |= {self._part_space(part) for part, of in HISTORY_PARTS.items() if of == role}
        ranking = self.config.ranking
        if spaces <= {None} and role == "chapters" and ranking is not None:
            chapters = (("row", ranking.package.chapters),)
            spaces = {f.feature.space for f in self.features.values() if f.columns == chapters}
        return one_space(spaces, f"item.{role}")

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
        return HISTORY_PARTS[part]

    def _part_space(self, part: str) -> str | None:
        found = {f.feature.space for f in self.of_frame("history", "last_year") if f.column == part and f.plain}
        return one_space(found, f"history.{part}")

    def _history_parts(self) -> dict[str, str]:
        """Every part that the job's histories keep, with its id space."""
        config = self.config
        if config.ranking is not None:
            kept = ("chapters", "sections", *(("styles",) if config.ranking.package.style is not None else ()))
            by_part = {part: self.role_space(HISTORY_PARTS[part]) for part in kept}
            return {part: space for part, space in by_part.items() if space is not None}
        assert config.impressions is not None
        parts = {"items": self.item_space}
        for part in config.impressions.history_parts:
            items = {f.feature.space for f in self.of_frame("item") if f.column == part and f.plain}
            space = one_space(items | {self._part_space(part)}, f"item.{part}")
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
                found[f"group.{name}"] = self._space_of(*split_source(name), "history.last_year.match")
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
