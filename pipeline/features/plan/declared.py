"""Features as a job's YAML declares them: their frames, columns and id spaces."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from models.schema import Feature, Kind
from pipeline.config.features import FeatureSettings
from pipeline.errors import ConfigError


@dataclass(frozen=True)
class PlannedFeature:
    """One feature: its settings, its shape, and the columns it is made of as (frame, column)."""

    name: str
    settings: FeatureSettings
    feature: Feature
    columns: tuple[tuple[str, str], ...]

    @cached_property
    def frame(self) -> str | None:
        """The frame of its columns; none for a counter."""
        return self.columns[0][0] if self.columns else None

    @property
    def column(self) -> str:
        return self.columns[0][1]

    @cached_property
    def plain(self) -> bool:
        """Whether its ids are those of its columns, and not made of them by a rule."""
        rules = (self.settings.digits, self.settings.compose, self.settings.bins)
        return all(rule is None for rule in rules)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Names of its columns in a ``Frame``."""
        return tuple(f"{frame}.{column}" for frame, column in self.columns)


class Declared(dict[str, PlannedFeature]):
    """A job's features by name, in the order of its YAML."""

    def of_frame(self, *frames: str) -> tuple[PlannedFeature, ...]:
        if frames not in self._of_frames:
            self._of_frames[frames] = tuple(f for f in self.values() if f.frame in frames)
        return self._of_frames[frames]

    @cached_property
    def _of_frames(self) -> dict[tuple[str, ...], tuple[PlannedFeature, ...]]:
        return {}

    def space_of(self, frame: str, column: str, setting: str) -> str:
        """The id space of the feature that is a column as it is; ``ConfigError`` names what needs it and how."""
        for f in self.values():
            plain = f.settings.buckets is None and f.settings.part is None and f.plain
            if f.columns == ((frame, column),) and f.feature.kind is Kind.CATEGORICAL and plain and f.feature.space:
                return f.feature.space
        side = "item" if frame == "item" else "request"
        raise ConfigError(
            f"{setting}: '{column}' needs a feature of its own, so that it has an id space: "
            f"{{kind: categorical, side: {side}, space: …, source: {frame}.{column}, input: false}}"
        )


def one_space(spaces: set[str | None], what: str) -> str | None:
    found = sorted(space for space in spaces if space is not None)
    if len(found) > 1:
        raise ConfigError(f"features: {what} is mapped in several id spaces: {', '.join(found)}; use one")
    return found[0] if found else None


def split_source(source: str) -> tuple[str, str]:
    frame, _, column = source.partition(".")
    return frame, column


def columns_of(
    name: str, settings: FeatureSettings, frames: Collection[str], bare: Collection[str] = ()
) -> tuple[tuple[str, str], ...]:
    """The columns that a feature's ``source`` names, as (frame, column); raises ``ConfigError``.

    Args:
        frames: those that requests of the job's kind have; ``bare`` ones of them are sources without a column.
    """
    if settings.source is None:
        return ()
    sources: Iterable[str] = (settings.source,) if isinstance(settings.source, str) else settings.source
    columns = []
    for source in sources:
        frame, _, column = source.partition(".")
        if frame not in frames or (not column and frame not in bare):
            raise ConfigError(
                f"features.{name}.source: '{source}' is not <frame>.<column> with one of the frames {', '.join(frames)}"
            )
        columns.append((frame, column))
    if len({frame for frame, _ in columns}) > 1 or (len(columns) > 1 and settings.kind not in (Kind.BAG, Kind.DENSE)):
        raise ConfigError(f"features.{name}.source: several columns make a bag or dense values, of one frame")
    if settings.kind is Kind.DENSE and len(columns) > 1 and settings.size != len(columns):
        raise ConfigError(f"features.{name}.size: {settings.size}, but `source` names {len(columns)} columns")
    return tuple(columns)
