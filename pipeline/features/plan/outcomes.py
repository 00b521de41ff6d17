"""Outcomes of a row, known only after it: nothing that they say may be an input of the row itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipeline.config.job import JobConfig
from pipeline.config.tables import Table
from pipeline.errors import ConfigError


def outcome_columns(config: JobConfig) -> dict[str, frozenset[str]]:
    """By table, the columns that hold outcomes: those declared so, the labels, and others read from the same cells."""
    labels = dict(config.request.outcomes)
    if config.tasks:
        rows = config.request.rows
        labels[rows] = labels.get(rows, set()) | {task.label for task in config.tasks.values()}
    known = {name: {*t.outcomes, *(labels.get(name, set()) & set(t.columns))} for name, t in config.tables.items()}
    return {name: frozenset(_of_the_same_cells(config.tables, table, known)) for name, table in config.tables.items()}


def _of_the_same_cells(tables: Mapping[str, Table], table: Table, known: Mapping[str, set[str]]) -> Iterator[str]:
    """The columns of a table that are read from a cell with an outcome, under whatever name and by whatever table."""
    for name, outcomes in known.items():
        other = tables[name]
        if table.all_sources & other.all_sources:
            yield from (each for each in table.columns if any(table.same_cell(each, other, one) for one in outcomes))


def column_problem(config: JobConfig, table: str, column: str) -> str | None:
    """What is wrong with naming a column of a table, if it declares none of that name."""
    return None if column in config.tables[table].columns else f"the table '{table}' declares no such column"


def outcome_problem(config: JobConfig, table: str, column: str) -> str | None:
    """Why a column cannot be an input of its own row, if it is an outcome."""
    if column not in outcome_columns(config).get(table, ()):
        return None
    declared = config.tables[table].columns[column].change == "outcome"
    why = "`change: outcome`" if declared else "a label, or read from the same cell as one"
    return (
        f"is known only after its row (tables.{table}.columns.{column}: {why}), so it is never an input of the row "
        f"itself; take it out"
    )


def check_outcomes(config: JobConfig, deciding: Iterable[tuple[str, str, str]]) -> None:
    """No setting lets an outcome decide what its own row is: whose it is, what it is joined or compared with.

    Args:
        deciding: setting, table and column of what decides that of the job's requests.

    Raises:
        ConfigError: one does; it names the setting, the table and the column.
    """
    keys = [
        (f"tables.{name}.keys", table.keys.table, table.keys.column)
        for name, table in config.tables.items() if table.keys is not None
    ]  # fmt: skip
    for setting, table, column in [*keys, *deciding]:
        problem = outcome_problem(config, table, column)
        if problem is not None:
            raise ConfigError(f"{setting}: '{column}': {problem}")
