"""The day of a run, in one place for every task: the one that its logical date names in the job's zone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from dayspring.settings import zone_of
from pipeline.days import Day
from pipeline.errors import UsageError

NO_DATE = "This run has no logical date, so it has no day; trigger it with the day's date, 00:00 UTC"


def day_of(job: str, context: Mapping[str, Any]) -> str:
    """The day of the run in whose ``context`` a task is executed; a run that has none fails, and is not retried."""
    date = context.get("logical_date")
    if date is None:
        raise AirflowFailException(NO_DATE)
    try:
        return str(Day.of_logical_date(date, zone_of(job)))
    except UsageError as error:
        raise AirflowFailException(str(error)) from None


def day_to_tell(job: str, context: Mapping[str, Any]) -> str | None:
    """The day that something is told of; ``None`` where the run has none."""
    try:
        return day_of(job, context)
    except AirflowFailException:
        return None
