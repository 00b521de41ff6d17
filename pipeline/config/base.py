"""What every part of a job's YAML shares: strictness and days."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationInfo, field_validator

from pipeline.days import Day
from pipeline.errors import UsageError


class Strict(BaseModel):
    """A section of the YAML: unknown keys are errors, values are not changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True)

    @field_validator("*", mode="before")
    @classmethod
    def _number_as_number(cls, value: Any, info: ValidationInfo) -> Any:
        """YAML has numbers and words: `true` is no 1, and a number in quotes is most often a mistake."""
        assert info.field_name is not None
        declared = cls.model_fields[info.field_name].annotation
        wanted = get_args(declared) or (declared,)
        if (int in wanted or float in wanted) and bool not in wanted and str not in wanted:
            if isinstance(value, bool):
                raise ValueError("is a number, not true or false")
            if isinstance(value, str) and float not in wanted:
                raise ValueError("is a whole number; write it without quotes")
        return value


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
