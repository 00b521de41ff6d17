"""The time by which a day should be released: an alert where it is not."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

# The package's stub lacks these three.
from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference  # type: ignore[attr-defined]


def release_deadline(job: str, by: str) -> DeadlineAlert:
    """The deadline of a run.

    Args:
        by: time of day ``HH:MM`` in UTC, of the day after the run's; the schedule starts the run at 00:00 of it.
    """
    hours, minutes = map(int, by.split(":"))
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
        interval=timedelta(days=1, hours=hours, minutes=minutes),
        callback=AsyncCallback(release_is_late, kwargs={"job": job, "by": by}),
        name=f"release by {by} UTC",
    )


async def release_is_late(job: str, by: str, context: dict[str, Any] | None = None) -> str:
    """Called in the triggerer once the deadline of a run has passed; what was done about it.

    Only the schedule's runs are late: those of a backfill are of days whose deadline has passed long ago.
    """
    run = (context or {}).get("dag_run", {})
    if run.get("run_type") != "scheduled" or not run.get("logical_date"):
        return f"run {run.get('dag_run_id')}: not one of the schedule's, so not late"
    return await asyncio.to_thread(_tell, job, by, str(run["logical_date"])[:10])


def _tell(job: str, by: str, date: str) -> str:
    from dayspring.failures import artefact_root
    from pipeline.alerts.causes import Alert
    from pipeline.alerts.deliver import try_to_deliver
    from pipeline.artifacts import Ref
    from pipeline.context import JobContext
    from pipeline.days import Day

    day = Day.parse(date)
    context = JobContext.open(job, root=artefact_root())
    if context.skipped(day) is not None:
        return f"{day} was skipped: there is nothing to release"
    release = context.store.current(Ref("release", job, day))
    if release is not None and release.manifest.state == "skipped":
        return f"{day} has nothing that may be released: {release.manifest.reason}"
    if context.store.current(Ref("publish", job, day)) is not None:
        return f"{day} is released"
    text = (
        f"not released by {by} UTC of {day.next()} (release.by); "
        f"`python -m pipeline status --job {job} --from {day}` shows how far it is"
    )
    try_to_deliver(context.root, job, [Alert("late_release", job, day, text)])
    return f"{day} is late"
