"""Features as a job's YAML declares them: their frames, columns and id spaces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from models.schema import Feature, Kind
from pipeline.config.features import FeatureSettings
from pipeline.errors import ConfigError

FRAMES = ("row", "user", "item", "history", "last_year", "study", "style_counts", "calendar")


ROLES = ("key", "chapters", "sections", "style", "reflect")
"""Columns of the frame ``item`` of a ranking job."""


PACKAGE_SPACE = "package"


STYLE_COUNTS = "style_counts"


COUNTED_DAYS = ("day", "window")
"""Columns of the frame ``style_counts``: the newest earlier day that has any, and all days of the window."""


HISTORY_PARTS = {"chapters": "chapters", "sections": "sections", "styles": "style"}
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


def one_space(spaces: set[str | None], what: str) -> str | None:
    found = sorted(space for space in spaces if space is not None)
    if len(found) > 1:
        raise ConfigError(f"features: {what} is mapped in several id spaces: {', '.join(found)}; use one")
    return found[0] if found else None


def split_source(source: str) -> tuple[str, str]:
    frame, _, column = source.partition(".")
    return frame, column


def columns_of(name: str, settings: FeatureSettings) -> tuple[tuple[str, str], ...]:
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
