"""What every part of a job's YAML shares: strictness and days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_serializer,
)

from pipeline.config.scalars import declared
from pipeline.days import Day
from pipeline.errors import UsageError


@dataclass(frozen=True)
class Later:
    """Marks a setting that came after chains were trained without it: ``Annotated[int | None, Later()] = None``.

    At its default it is left out of what is serialised, and so of the digests of settings: a root made before the
    setting was known does not read as made with others.
    """


class Strict(BaseModel):
    """A section of the YAML: unknown keys are errors, values are not changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True)

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = serialise(self)
        for name, field in type(self).model_fields.items():
            if any(isinstance(each, Later) for each in field.metadata) and getattr(self, name) == field.get_default(
                call_default_factory=True
            ):
                found.pop(field.serialization_alias or field.alias or name, None)
                found.pop(name, None)
        return found

    @field_validator("*", mode="before")
    @classmethod
    def _as_declared(cls, value: Any, info: ValidationInfo) -> Any:
        """YAML has numbers and words: `true` is no 1, `NO` no false, a number in quotes most often a mistake."""
        annotation = cls.model_fields[str(info.field_name)].annotation
        value = declared(value, annotation)
        wanted = get_args(annotation) or (annotation,)
        if (int in wanted or float in wanted) and bool not in wanted and str not in wanted:
            if isinstance(value, bool):
                raise ValueError("is a number, not true or false")
            words = {word for each in wanted for word in get_args(each)}
            if isinstance(value, str) and float not in wanted and value not in words:
                raise ValueError("is a whole number; write it without quotes")
        return value


def _to_day(value: Any) -> Day:
    if isinstance(value, Day):
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return Day.from_date(value)
    try:
        return Day.parse(value)
    except UsageError as error:
        raise ValueError(str(error)) from None


DayField = Annotated[
    Day, BeforeValidator(_to_day), PlainSerializer(str), WithJsonSchema({"type": "string", "format": "date"})
]
"""A day in the YAML, written ``YYYY-MM-DD``."""
