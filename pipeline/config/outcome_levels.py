"""What came of a row, in levels: each a rule over the row's columns, of which the first that fits says the level."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import Discriminator, Tag, model_validator

from pipeline.config.base import Strict

if TYPE_CHECKING:
    from pipeline.config.features import FeatureSettings

_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Within(Strict):
    """A number between limits; one that is missing is not."""

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _holds_something(self) -> Within:
        low = [each for each in (self.above, self.at_least) if each is not None]
        high = [each for each in (self.below, self.at_most) if each is not None]
        if not low and not high:
            raise ValueError("limits are `above` or `at_least`, and `below` or `at_most`")
        if len(low) > 1 or len(high) > 1:
            raise ValueError("one lower limit (`above` or `at_least`) and one upper limit (`below` or `at_most`)")
        closed = self.at_least is not None and self.at_most is not None
        if low and high and not (low[0] < high[0] or (closed and low == high)):
            raise ValueError(f"no number is between {low[0]:g} and {high[0]:g}")
        return self


def _form(value: object) -> str:
    """Which form of a condition is meant, so that a mistake is told of it alone."""
    if isinstance(value, Mapping | Within):
        return "dict[limits]"
    return "list[values]" if isinstance(value, list | tuple) else "str"


Value = int | float | str
Condition = Annotated[
    Annotated[Within, Tag("dict[limits]")] | Annotated[tuple[Value, ...], Tag("list[values]")]
    | Annotated[Value, Tag("str")],
    Discriminator(_form),
]  # fmt: skip
"""What a column has to be: a value, one of several, or a number between limits."""
Levels = dict[str, dict[str, Condition]]
"""By level, what each of some columns has to be; a level of no column is of all rows that fit none before it."""


def check_chosen(features: Mapping[str, FeatureSettings], levels: Collection[str]) -> None:
    """Histories of some levels alone name levels that there are; raises ``ValueError``."""
    for name, feature in features.items():
        if feature.levels is None:
            continue
        if not isinstance(feature.source, str) or not feature.source.startswith("history."):
            raise ValueError(f"features.{name}.levels: they are of the steps of `history.`, not of {feature.source}")
        strange = [each for each in feature.levels if each not in levels]
        if strange or not feature.levels:
            raise ValueError(
                f"features.{name}.levels: {', '.join(strange) or 'none is named'}; one or more of those of "
                f"`history.outcome`: {', '.join(levels) or 'it has none'}"
            )


def check_levels(levels: Mapping[str, Mapping[str, Condition]]) -> None:
    """Every level has a name, and may be that of some row; raises ``ValueError``."""
    if len(levels) == 1:
        raise ValueError(f"outcome: '{next(iter(levels))}' alone tells nothing; declare two levels or more")
    named = list(levels)
    for place, (name, rule) in enumerate(levels.items()):
        if not _NAME.fullmatch(name):
            raise ValueError(f"outcome: '{name}' must be lower-case letters, digits and _, a letter first")
        if not rule and place < len(named) - 1:
            raise ValueError(
                f"outcome: every row fits '{name}', which asks for nothing, so that '{named[place + 1]}' is never "
                "reached; write it last"
            )
        again = next((other for other in named[:place] if levels[other] == rule), None)
        if again is not None:
            raise ValueError(f"outcome: '{name}' is never reached: its rule is that of '{again}'")
        for column, condition in rule.items():
            if condition == ():
                raise ValueError(f"outcome.{name}.{column}: is empty, so no row fits; list the values")
