"""When a day's labels have come: conversions arrive days after the click."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from pipeline.config.base import Strict
from pipeline.days import Day


class Labels(Strict):
    """The job's label delay.

    Args:
        delay_days: whole days after a day until its labels have matured.
        until_then: ``train``: the day is trained now and read again when its labels have matured; ``hold``: it is not
            read before.
        max_rows_lost: share of a table's rows that may be gone when the day is read again. A source that deletes old
            rows must not make a day smaller; beyond it the day stays as it was read first.
        rechain: the nightly maintenance trains again what follows from a day that came out different.
    """

    delay_days: int = Field(ge=1, le=60)
    until_then: Literal["train", "hold"] = "train"
    max_rows_lost: float = Field(default=0.05, ge=0, le=1)
    rechain: bool = False

    @property
    def held_days(self) -> int:
        """For how many days a day waits to be read until its labels have matured."""
        return self.delay_days if self.until_then == "hold" else 0

    def mature_at(self, day: Day, zone: str) -> datetime:
        """The instant at which the labels of ``day`` have matured (aware, UTC)."""
        return day.plus(self.delay_days).end(zone)
