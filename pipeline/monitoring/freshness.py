"""How old what is served and what was read last is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.days import Day
from pipeline.job import JobContext
from pipeline.release.control import served
from pipeline.storage.artifacts.kinds import EXTRACT


@dataclass(frozen=True)
class Freshness:
    """Ages in days, as of ``yesterday``, the newest day that can be whole.

    Attributes:
        extracted: the newest extracted day.
        checkpoint: the day of the served checkpoint.
        expected: how old either may be: ``alerts.age_days``, and as long as days are held for their labels.
        stale: what is older, in words; empty where nothing is.
    """

    yesterday: Day
    extracted: Day | None
    checkpoint: Day | None
    expected: int
    stale: tuple[str, ...]


def freshness(context: JobContext, now: datetime | None = None) -> Freshness:
    """From the artefacts alone. Data that has ended (``DAYSPRING_SCHEDULE_END``) is as old as its last day."""
    config = context.config
    yesterday = Day.of_instant(now or datetime.now(UTC), config.timezone).previous()
    if ended := os.environ.get("DAYSPRING_SCHEDULE_END"):
        yesterday = min(yesterday, Day.parse(ended))
    held = config.labels.held_days if config.labels is not None else 0
    expected = config.alerts.age_days + held
    days = context.store.days(EXTRACT, context.job)
    extracted, pointer = (days[-1] if days else None), served(context)
    checkpoint = Day.parse(pointer["checkpoint_day"]) if pointer is not None else None
    stale = []
    for what, day in (("the newest extracted day", extracted), ("the served checkpoint", checkpoint)):
        if day is not None and yesterday - day > expected:
            stale.append(f"{what} is {day}, {yesterday - day} days before {yesterday} (more than {expected})")
    return Freshness(yesterday, extracted, checkpoint, expected, tuple(stale))
