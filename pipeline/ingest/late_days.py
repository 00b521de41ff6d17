"""Days that were skipped for want of data and have come since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.days import Day
from pipeline.ingest.readiness import State, day_state
from pipeline.job import JobContext
from pipeline.storage.artifacts.kinds import DAY

LOOK_BACK = 60
"""How many days before the newest known one the sources are asked about."""


@dataclass(frozen=True)
class LateDay:
    """A skipped day of which the sources have rows now.

    Attributes:
        state: ``ready`` where it can be taken in, ``incomplete`` where some of its required tables have no rows yet.
        command: takes the day in and trains again what follows from it.
    """

    day: Day
    state: State
    reason: str
    command: str

    @property
    def told(self) -> str:
        """What is said of the day, without its date."""
        return f"was skipped and has come since ({self.state}: {self.reason}); take it in: {self.command}"


def late_days(context: JobContext, look_back: int = LOOK_BACK) -> Iterator[LateDay]:
    """Skipped days that have data now, ascending; reads the sources. Days listed as dirty stay skipped.

    Raises:
        SourceError: a source cannot be read.
    """
    marked = context.store.days(DAY, context.job)
    for day in marked:
        if day < marked[-1].plus(-look_back) or context.skipped(day) is None:
            continue
        found = day_state(context, day)
        if found.state in ("ready", "incomplete"):
            command = f"python -m pipeline backfill --job {context.job} --from {day} --to {marked[-1]} --late-days"
            yield LateDay(day, found.state, found.reason, command)
