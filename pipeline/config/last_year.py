"""Last year: its homework in the place of an empty history, and its rows trained again beside the day's own."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pipeline.config.base import Strict


class LastYear(Strict):
    """Last year's homework of similar classes, for those whose own history is empty."""

    match: tuple[str, ...]  # `row.` and `user.` columns that similar classes share
    own_class_first: bool = False  # before that, the class's own earlier history (same edition, any teacher)
    own_match: tuple[str, ...] = ()  # the columns that say so: the class and the edition
    values: int = Field(default=10, ge=1)  # most frequent ids kept a day
    years: int = Field(default=1, ge=1, le=3)

    @model_validator(mode="after")
    def _own_class_is_named(self) -> LastYear:
        if self.own_class_first != bool(self.own_match):
            raise ValueError("`own_class_first` goes with `own_match`, such as [row.class_id, row.edition_id]")
        return self


class Replay(Strict):
    """Last year's rows that join a day's training set."""

    match: tuple[str, ...] = Field(min_length=1)  # columns that the teachers' rows share with today's
    window: Literal["day", "week"] = "day"
    years: int = Field(default=1, ge=1, le=3)
    same_weekday: bool = False  # 364 days back, not the same date
    overlap: bool = True  # keep rows whose chapters overlap those set today, carrying this year's chapter ids
