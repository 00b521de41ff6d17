"""What an alert is about."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pipeline.days import Day

Kind = Literal[
    "failure", "retries_exhausted", "late_day", "late_release", "gate_block", "check_block", "measure_drop",
    "measure_rise", "map_growth", "unknown_ids", "checkpoint_age", "missing_columns", "missing_values", "repeated_rows",
    "constant_columns", "wild_values",
]  # fmt: skip

_SAME_CAUSE = {"retries_exhausted": "failure"}
"""A task that fails for good is one cause, however it came to that."""
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True)
class Alert:
    """One cause, told once.

    Args:
        text: one sentence with the figures and, where there is one, the command that helps. Line breaks and other
            control characters in it become a blank, halves of surrogate pairs a question mark.
        what: which of several of its kind on a day, such as a task.
    """

    kind: Kind
    job: str
    day: Day
    text: str
    experiment: str | None = None
    what: str = ""

    def __post_init__(self) -> None:
        # It may quote what a program or a file said, which no mail, terminal or UTF-8 need be able to hold.
        clean = _SURROGATES.sub("?", _BREAKS.sub(" ", self.text)).strip()
        object.__setattr__(self, "text", clean)

    @property
    def key(self) -> str:
        """Equal for equal causes, whatever the text says."""
        kind = _SAME_CAUSE.get(self.kind, self.kind)
        return "/".join([self.job, str(self.day), self.experiment or "-", kind, self.what or "-"])

    @property
    def line(self) -> str:
        """The alert as one line for people."""
        who = f"{self.job}/{self.experiment}" if self.experiment else self.job
        return f"{who} {self.day} {self.kind.replace('_', ' ')}: {self.text}"

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "day": str(self.day)}
