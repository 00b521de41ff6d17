"""What the manifests of tests and gates say."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.storage.artifacts import kinds
from pipeline.storage.artifacts.manifest import Count, DayText
from pipeline.storage.artifacts.record import Measure, Record, is_none

Verdict = Literal["promote", "keep", "inconclusive", "block"]


class TestRecord(Record):
    """The test of a checkpoint on a day.

    Attributes:
        values: measure by name; ``None`` where it cannot be computed.
        reasons: why not, by name.
        counts: what was left out, and how much.
        groups: values by group of requests.
    """

    __test__: ClassVar = False  # nothing that pytest should run
    kind: ClassVar = kinds.TEST

    checkpoint: str
    checkpoint_day: DayText
    values: dict[str, Measure]
    reasons: dict[str, str]
    counts: dict[str, Count]
    groups: dict[str, dict[str, Measure]]


class Interval(BaseModel):
    """A paired difference, new − old, turned so that more is better; with its bootstrap interval."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    measure: str
    difference: float
    low: float
    high: float


class GateRecord(Record):
    """The verdict on a tested checkpoint.

    Attributes:
        checkpoint: the one that was tested.
        incumbent: the one that it was compared with; ``None`` where there was none.
        rise: why the measures are too good to be believed, if they are.
    """

    kind: ClassVar = kinds.GATE

    verdict: Verdict
    reasons: list[str]
    intervals: list[Interval] = Field(default_factory=list)
    checkpoint: str
    incumbent: str | None
    rise: str | None = Field(default=None, exclude_if=is_none)
