"""Numbers of a row that counters of later days sum: a column, or what is made of some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from pipeline.config.base import Strict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.config.features import FeatureSettings

TAKEN = ("mean", "sum", "share")
"""Measures of counters that are of a value."""


class RowValue(Strict):
    """A number of a row, where it has one: ``column`` / ``over`` / ``scale``, clipped, its logarithm.

    Args:
        column: of the rows' table; of several the greatest that is there, so of flags whether any is set.
        over: the column by which it is divided; a row where that is not above 0 has no such value.
        scale: the value is divided by this.
        clip: the least and the greatest that it counts as.
        log: sign(x) log(1 + |x|) of that.
    """

    column: str | tuple[str, ...]
    over: str | None = None
    scale: float = Field(default=1.0, gt=0)
    clip: tuple[float, float] | None = None
    log: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of which the greatest counts."""
        return (self.column,) if isinstance(self.column, str) else self.column

    @model_validator(mode="after")
    def _fits(self) -> RowValue:
        if not self.columns or len(set(self.columns)) < len(self.columns):
            raise ValueError(f"`column` names one column, or several once each, not {list(self.columns)}")
        if self.clip is not None and not self.clip[0] < self.clip[1]:
            raise ValueError(f"`clip` is [least, greatest], not {list(self.clip)}")
        return self


def check_values(values: Mapping[str, RowValue], features: Mapping[str, FeatureSettings]) -> None:
    """Counters name values that there are, and every value is named; raises ``ValueError``."""
    used = {name: each.counter.value for name, each in features.items() if each.counter and each.counter.value}
    for name, value in used.items():
        if value not in values:
            known = ", ".join(values) or "none are declared"
            raise ValueError(f"features.{name}.counter.value: '{value}' is not declared under `values` ({known})")
    idle = sorted(set(values) - set(used.values()))
    if idle:
        raise ValueError(
            f"values.{idle[0]}: would have no effect: no counter is of it; write {{key: […], measure: mean, "
            f"value: {idle[0]}}}, or leave it out"
        )
