"""Waiting for a day's data without holding a worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent


def state_of(job: str, day: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The day's ``state`` (ready, waiting, empty, late) and the ``reason`` for it.

    Args:
        settings: the job's ``DAYSPRING_JOB_URL``, if a connection gives it and not the environment.
    """
    # Imported here: every task process of the DAG loads this module.
    from dayspring.failures import artefact_root
    from pipeline.context import JobContext
    from pipeline.days import Day
    from pipeline.readiness import day_state

    context = JobContext.open(job, root=artefact_root(), source_url=next(iter(settings.values()), None))
    try:
        found = day_state(context, Day.parse(day))
    finally:
        context.close()
    return {"state": found.state, "reason": found.reason}


class DayReadyTrigger(BaseTrigger):
    """Fires once the day's data is there, or is not coming any more.

    Args:
        job, day: the day, ``YYYY-MM-DD``, of which job.
        poll_seconds: seconds between two looks at the sources.
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
            except DayspringError as error:
                yield TriggerEvent({"state": "error", "reason": str(error)})
                return
            if found["state"] != "waiting":
                yield TriggerEvent(found)
                return
            self.log.info("%s of %s is not ready: %s", self.day, self.job, found["reason"])
            await asyncio.sleep(self.poll_seconds)
