"""The time by which a day should be released: an alert where it is not."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

# The package's stub lacks these two.
from airflow.sdk import AsyncCallback, DeadlineAlert  # type: ignore[attr-defined]
from airflow.sdk.definitions.deadline import BaseDeadlineReference

from pipeline.days import Day


@dataclass(eq=False)
class ReleaseBy(BaseDeadlineReference):
    """The instant by which a run of the schedule should have released its day: a time by the clocks of the job's zone.

    Not a span after the logical date, which beside a change of the clocks would be an hour off. Only the schedule's
    runs have one: those of a backfill are of days whose time has passed long ago.

    Args:
        by: ``HH:MM``, of the day after the run's, or after its labels have matured.
        held_days: for how many days a day is held for its labels.
    """

    by: str = "00:00"
    zone: str = "UTC"
    held_days: int = 0

    required_kwargs = frozenset({"dag_id", "run_id"})

    def instant(self, logical_date: datetime) -> datetime:
        """For the run of this logical date; aware, UTC."""
        return released_on(logical_date, self.zone, self.held_days).at(time.fromisoformat(self.by), self.zone)

    def _evaluate_with(self, *, session: Any, dag_id: str, run_id: str) -> datetime | None:
        # Called in the scheduler, the only place where this is allowed.
        from airflow.models.dagrun import DagRun
        from sqlalchemy import select

        asked = select(DagRun.logical_date).where(
            DagRun.dag_id == dag_id, DagRun.run_id == run_id, DagRun.run_type == "scheduled"
        )
        date = session.scalar(asked)
        return self.instant(date) if date is not None else None

    def serialize_reference(self) -> dict[str, Any]:
        return {
            "reference_type": self.reference_name, "by": self.by, "zone": self.zone, "held_days": self.held_days,
        }  # fmt: skip

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> ReleaseBy:
        return cls(reference_data["by"], reference_data["zone"], reference_data["held_days"])


def release_deadline(job: str, by: str, zone: str, held_days: int) -> DeadlineAlert:
    """The deadline of the job's runs; the arguments are those of ``ReleaseBy``."""
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", by):
        raise ValueError(f"release.by: '{by}' is no time of the day; write it in quotes, such as \"04:00\"")
    return DeadlineAlert(
        reference=ReleaseBy(by, zone, held_days),
        interval=timedelta(),
        callback=AsyncCallback(release_is_late, kwargs={"job": job, "by": by, "zone": zone, "held_days": held_days}),
        name=f"release by {by} ({zone})",
    )


def released_on(logical_date: datetime, zone: str, held_days: int) -> Day:
    """The day on which a run's release is due: the next one, or the one after its labels have matured."""
    return Day.of_logical_date(logical_date, zone).plus(held_days + 1)


async def release_is_late(
    job: str, by: str, zone: str = "UTC", held_days: int = 0, context: dict[str, Any] | None = None
) -> str:
    """Called in the triggerer once the deadline of a run has passed; what was done about it."""
    run = (context or {}).get("dag_run", {})
    if run.get("run_type") != "scheduled" or not run.get("logical_date"):
        return f"run {run.get('dag_run_id')}: not one of the schedule's, so not late"
    date = datetime.fromisoformat(str(run["logical_date"]))
    due = f"{by} of {released_on(date, zone, held_days)}, {zone} (release.by)"
    return await asyncio.to_thread(_tell, job, Day.of_logical_date(date, zone), due)


def _tell(job: str, day: Day, due: str) -> str:
    from dayspring.failures import artefact_root
    from pipeline.job import JobContext
    from pipeline.monitoring.alerts.causes import Alert
    from pipeline.monitoring.alerts.deliver import try_to_deliver
    from pipeline.storage.artifacts.artifact import Ref
    from pipeline.storage.artifacts.kinds import PUBLISH, RELEASE

    context = JobContext.open(job, root=artefact_root())
    if context.skipped(day) is not None:
        return f"{day} was skipped: there is nothing to release"
    release = context.store.current(Ref(RELEASE, job, day))
    if release is not None and release.manifest.state == "skipped":
        return f"{day} has nothing that may be released: {release.manifest.reason}"
    if context.store.current(Ref(PUBLISH, job, day)) is not None:
        return f"{day} is released"
    text = f"not released by {due}; `python -m pipeline status --job {job} --from {day}` shows how far it is"
    try_to_deliver(context.root, job, [Alert("late_release", job, day, text)])
    return f"{day} is late"
