"""What every part of a job's YAML shares: strictness and days."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

from pipeline.days import Day
from pipeline.errors import UsageError


class Strict(BaseModel):
    """A section of the YAML: unknown keys are errors, values are not changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True)


def _to_day(value: Any) -> Day:
    if isinstance(value, Day):
        return value
    if isinstance(value, date):
        return Day.from_date(value)
    try:
        return Day.parse(value)
    except UsageError as error:
        raise ValueError(str(error)) from None


DayField = Annotated[Day, BeforeValidator(_to_day), PlainSerializer(str)]
"""A day in the YAML, written ``YYYY-MM-DD``."""
