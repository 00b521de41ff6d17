"""Waiting for a day's data without holding a worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from pipeline.days import Day


def state_of(job: str, day: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The day's ``state`` (``pipeline.ingest.readiness``) and the ``reason`` for it; of one waited for, ``until`` when.

    Args:
        settings: the job's ``DAYSPRING_JOB_URL``, if a connection gives it and not the environment.
    """
    # Imported here: every task process of the DAG loads this module.
    from pipeline.ingest.readiness import day_state

    with closing(_context(job, settings)) as context:
        found = day_state(context, Day.parse(day))
    until = {"until": found.until.isoformat()} if found.until is not None else {}
    return {"state": found.state, "reason": found.reason, **until}


def lacks_of(job: str, day: str, settings: Mapping[str, str]) -> str:
    """What the ``ready:`` rules still miss of a day that was waited for; empty where they all pass."""
    from pipeline.ingest.readiness import lacking

    with closing(_context(job, settings)) as context:
        return lacking(context, Day.parse(day))


def _context(job: str, settings: Mapping[str, str]) -> Any:
    from dayspring.failures import artefact_root
    from pipeline.job import JobContext

    return JobContext.open(job, root=artefact_root(), source_url=next(iter(settings.values()), None))


class DayReadyTrigger(BaseTrigger):
    """Fires once the day's data is there, or is not coming any more.

    Args:
        job, day: the day, ``YYYY-MM-DD``, of which job.
        poll_seconds: seconds between two looks at the sources; the last one is when the wait ends.
    """

    def __init__(self, job: str, day: str, poll_seconds: float = 60) -> None:
        super().__init__()
        self.job = job
        self.day = day
        self.poll_seconds = poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            "dayspring.triggers.DayReadyTrigger",
            {"job": self.job, "day": self.day, "poll_seconds": self.poll_seconds},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        from dayspring.hooks import source_hook
        from pipeline.errors import DayspringError

        settings = await source_hook(self.job).asettings()
        while True:
            try:
                found = await asyncio.to_thread(state_of, self.job, self.day, settings)
                if found["state"] == "ready":
                    found["without"] = await asyncio.to_thread(lacks_of, self.job, self.day, settings)
            except DayspringError as error:
                yield TriggerEvent({"state": "error", "reason": str(error)})
                return
            if found["state"] != "waiting":
                yield TriggerEvent(found)
                return
            self.log.info("%s of %s is not ready: %s", self.day, self.job, found["reason"])
            await asyncio.sleep(min(self.poll_seconds, _seconds_until(found.get("until"))))


def _seconds_until(instant: str | None) -> float:
    """From now; for ever where there is no such instant, and never less than a moment."""
    if instant is None:
        return float("inf")
    return max((datetime.fromisoformat(instant) - datetime.now(UTC)).total_seconds(), 0.1)
