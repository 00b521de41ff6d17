"""What counters count beside events: values of a row, held against the columns that they are made of."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.config.job import JobConfig
from pipeline.errors import ConfigError
from pipeline.features.plan.outcomes import column_problem


def value_columns(config: JobConfig) -> list[str]:
    """The columns of the rows' table that values are made of, in order."""
    names = (name for each in config.values.values() for name in (*each.columns, *([each.over] if each.over else [])))
    return list(dict.fromkeys(names))


def check_value_columns(config: JobConfig) -> None:
    """Values are made of numbers of the rows; raises ``ConfigError`` naming the column."""
    rows = config.request.rows
    for name, value in config.values.items():
        for setting, columns in (("column", value.columns), ("over", (value.over,) if value.over else ())):
            for column in columns:
                problem = column_problem(config, rows, column)
                declared = config.tables[rows].columns[column].type if problem is None else ""
                if problem is None and declared not in ("int", "float"):
                    problem = f"is declared as {declared}, which is no number"
                if problem is not None:
                    raise ConfigError(f"values.{name}.{setting}: '{column}': {problem}")


def features_of(group: Iterable[str]) -> tuple[str, ...]:
    """The features that make a counter's key, of what its table is called by (``Counter.group``)."""
    return tuple(name for name in group if not name.startswith("="))
