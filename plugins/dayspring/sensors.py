"""The first task of a run: the day's data is there, or its deadline has passed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from dayspring.hooks import source_hook
from dayspring.operators import NO_DATE
from dayspring.triggers import DayReadyTrigger, state_of

PATIENCE = timedelta(hours=48)
"""How long a day's data is waited for; longer by as many days as a job holds its days for their labels."""


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

        day = context.get("ds")
        if not day:
            raise AirflowFailException(NO_DATE)
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
        self.go_on(context, found)

    def go_on(self, context: Any, event: dict[str, str]) -> None:
        """Called with the trigger's event."""
        if event["state"] == "error":
            raise AirflowException(event["reason"])
        self.log.info("%s is %s: %s", context["ds"], event["state"], event["reason"])
