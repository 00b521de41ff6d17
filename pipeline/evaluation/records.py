"""What the manifests of tests and gates say, and what is kept of a day's comparison."""

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
        tasks: whose logits are kept beside it, in a job that names its tasks.
    """

    __test__: ClassVar = False  # nothing that pytest should run
    kind: ClassVar = kinds.TEST

    checkpoint: str
    checkpoint_day: DayText
    values: dict[str, Measure]
    reasons: dict[str, str]
    counts: dict[str, Count]
    groups: dict[str, dict[str, Measure]]
    tasks: list[str] | None = Field(default=None, exclude_if=is_none)


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


class Difference(BaseModel):
    """How much better an experiment was than the first one, whichever way the measure is better.

    Attributes:
        low, high: the interval over users, of this difference alone.
        spread: standard deviation over the draws of users.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    difference: float
    low: float
    high: float
    spread: float


class ComparedDay(BaseModel):
    """A day's comparison.

    Attributes:
        made_of: digest of the tests, the rows and the settings that it was made of.
        values: the measure itself, of the first experiment too.
        left_out: why the day says nothing of an experiment, by name.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    day: DayText
    made_of: str
    values: dict[str, float]
    differences: dict[str, Difference]
    left_out: dict[str, str]
