"""The first task of a run: the day's data is there, or its deadline has passed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from dayspring.failures import artefact_root
from dayspring.hooks import source_hook
from dayspring.run_days import day_of
from dayspring.triggers import DayReadyTrigger, state_of
from pipeline.days import Day

PATIENCE = timedelta(hours=48)
"""How long a day is waited for at most, beyond its deadline and beyond the days that it is held for its labels."""


class DayReadySensor(BaseOperator):
    """Waits, deferred, until the run's day is ready; goes on at once for a day past its deadline.

    It never skips and never fails for want of data: whether a day without data is skipped or has failed is for the
    stages to decide and to record.

    Args:
        poll_seconds: seconds between two looks at the sources.
        patience: for how long it may stay deferred before the task fails.
    """

    def __init__(self, *, job: str, poll_seconds: float = 60, patience: timedelta = PATIENCE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job
        self.poll_seconds = poll_seconds
        self.patience = patience

    def execute(self, context: Any) -> None:
        from pipeline.errors import UsageError

        day = day_of(self.job, context)
        if context["params"].get("dry_run"):
            self.log.info("A dry run waits for nothing")
            return
        try:
            found = state_of(self.job, day, source_hook(self.job).settings())
        except UsageError as error:
            # A day in the future, or a wrong setting: asking again changes nothing.
            raise AirflowFailException(str(error)) from error
        if found["state"] == "waiting":
            self.log.info("%s is not ready: %s", day, found["reason"])
            trigger = DayReadyTrigger(self.job, day, self.poll_seconds)
            self.defer(trigger=trigger, method_name="go_on", timeout=self.patience)
        self._go_on(day, found)

    def go_on(self, context: Any, event: dict[str, str]) -> None:
        """Called with the trigger's event."""
        if event["state"] == "error":
            raise AirflowException(event["reason"])
        day = day_of(self.job, context)
        self._go_on(day, event)
        if event["state"] == "ready" and event.get("without"):
            self._tell(day, event["without"])

    def _go_on(self, day: str, found: dict[str, str]) -> None:
        without = f"; taken without {found['without']}" if found.get("without") else ""
        self.log.info("%s is %s: %s%s", day, found["state"], found["reason"], without)

    def _tell(self, day: str, without: str) -> None:
        """It was waited for in vain: somebody should know that it may not be whole."""
        from pipeline.monitoring.alerts.causes import Alert
        from pipeline.monitoring.alerts.deliver import try_to_deliver

        text = (
            f"taken at its deadline without {without}; if it was not whole, read it again once it is: "
            f"python -m pipeline backfill --job {self.job} --from {day} --to {day} --reprocess"
        )
        try_to_deliver(artefact_root(), self.job, [Alert("late_day", self.job, Day.parse(day), text, what="taken")])
