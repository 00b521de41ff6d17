"""The levels that say what came of an impression, held against the columns that their rules ask of."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.config.impressions import Impressions
from pipeline.config.job import JobConfig
from pipeline.config.outcome_levels import Condition, Within
from pipeline.config.tables import Column
from pipeline.errors import ConfigError
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.outcomes import column_problem

PART = "outcome"
"""The part of a history that holds the level of each step."""
_NUMBERS, _SINGLE = ("int", "float"), ("int", "float", "str")


def level_columns(config: JobConfig) -> list[str]:
    """The columns of the impression's row that the rules ask of, in order."""
    return list(dict.fromkeys(column for rule in config.history.outcome.values() for column in rule))


def check_level_rules(config: JobConfig, settings: Impressions) -> None:
    """Every rule asks of a column what it can be; raises ``ConfigError`` naming it."""
    for name, rule in config.history.outcome.items():
        for column, condition in rule.items():
            problem = column_problem(config, settings.rows, column)
            problem = problem or _problem(config.tables[settings.rows].columns[column], condition)
            if problem is not None:
                raise ConfigError(f"history.outcome.{name}: '{column}': {problem}")


def level_space(config: JobConfig, features: Iterable[PlannedFeature], item_columns: Iterable[str]) -> str | None:
    """The id space of the levels: text, and of nothing else; none where there are none.

    Raises:
        ConfigError: no feature is made of them, or of the space others are; it says what to declare.
    """
    if not config.history.outcome:
        return None
    if PART in item_columns:
        raise ConfigError(f"impressions.history_parts: '{PART}' is what `history.outcome` makes; rename the column")
    every = list(features)
    spaces = sorted({each.feature.space or "" for each in every if each.columns == (("history", PART),)} - {""})
    wanted = f"{{kind: sequence, space: outcome, source: history.{PART}, group: …}} with `spaces: {{outcome: str}}`"
    if len(spaces) != 1:
        raise ConfigError(f"history.outcome: needs features of one id space that are made of it; declare {wanted}")
    if config.spaces[spaces[0]] != "str":
        raise ConfigError(f"spaces.{spaces[0]}: int, but the ids of `history.outcome` are its levels' names: str")
    for other in every:
        if other.feature.space == spaces[0] and other.columns != (("history", PART),):
            raise ConfigError(
                f"history.outcome: its id space '{spaces[0]}' is that of the feature '{other.name}' too, whose ids are "
                f"no levels; declare {wanted}"
            )
    return spaces[0]


def _problem(declared: Column, condition: Condition) -> str | None:
    if declared.type not in _SINGLE:
        return f"is declared as {declared.type}; a rule asks of numbers and text"
    if isinstance(condition, Within):
        return None if declared.type in _NUMBERS else f"is declared as {declared.type}, which has no limits"
    for value in condition if isinstance(condition, tuple) else (condition,):
        if isinstance(value, str) != (declared.type == "str"):
            return f"is declared as {declared.type}, and {value!r} is none"
        if declared.allowed is not None and value not in declared.allowed:
            return f"{value!r} is none of its `allowed` values {list(declared.allowed)}"
    return None
