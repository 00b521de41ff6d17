"""When a day's artefacts are worth an alert."""

from __future__ import annotations

from pydantic import Field

from pipeline.config.base import Strict


class Alerts(Strict):
    """What is out of the usual range; "usual" is what the trailing ``days`` had.

    Args:
        days: how many days back the usual range is taken from.
        least_days: as long as fewer of them have the figure, nothing is out of range.
        measure: the measure whose drop is told (default: the primary one).
        drop: share by which it may be worse than its mean over the trailing days.
        growth: how many times the median of new ids an id map may grow by, and how many times less.
        growth_ids: an id map that grows by fewer ids than this is not looked at.
        unknown: by how much the share of candidates' ids that a model does not know may be above its median.
        missing: by how much a column's share of rows without a value may be outside of what the trailing days had.
        repeated: by how much the share of rows that earlier days had too may be above what the trailing days had.
        age_days: days that the served checkpoint may be old.
    """

    days: int = Field(default=7, ge=1, le=366)
    least_days: int = Field(default=3, ge=1)
    measure: str | None = None
    drop: float = Field(default=0.1, gt=0, lt=1)
    growth: float = Field(default=5.0, gt=1)
    growth_ids: int = Field(default=100, ge=1)
    unknown: float = Field(default=0.1, gt=0, le=1)
    missing: float = Field(default=0.1, gt=0, le=1)
    repeated: float = Field(default=0.2, gt=0, le=1)
    age_days: int = Field(default=3, ge=0)
