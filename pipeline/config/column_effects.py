"""Settings of tables and their columns that could do nothing where they stand, or that say what no value can be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from pipeline.config.tables import Column, ColumnType, Table

_NUMBERS: tuple[ColumnType, ...] = ("int", "float", "int_list", "float_list")
_MOMENTS: tuple[ColumnType, ...] = ("day", "time")


def idle_of_tables(tables: Mapping[str, Table]) -> Iterator[tuple[str, str]]:
    """Settings that nobody reads, each with the reason."""
    for name, table in tables.items():
        for setting, why in _idle_of_table(table):
            yield f"tables.{name}.{setting}", why
        for column, declared in table.columns.items():
            for setting, why in _idle_of_column(declared):
                yield f"tables.{name}.columns.{column}.{setting}", why


def check_values(tables: Mapping[str, Table]) -> None:
    """``allowed`` and ``absent`` are values that a column of the type can hold.

    Raises:
        ValueError: names the setting and the value.
    """
    for name, table in tables.items():
        for column, declared in table.columns.items():
            at = f"tables.{name}.columns.{column}"
            if declared.allowed == ():
                raise ValueError(f"{at}.allowed: is empty, so no value passes; leave it out, or list the values")
            # Words are taken out before numbers are read: `absent: [none]` of an int is right.
            numbers = [value for value in declared.absent if not isinstance(value, str)]
            for setting, values in (("allowed", declared.allowed or ()), ("absent", numbers)):
                for value in values:
                    if not _holds(declared.type, value):
                        raise ValueError(f"{at}.{setting}: {value!r} is no {_one(declared.type)}")


def _idle_of_table(table: Table) -> Iterator[tuple[str, str]]:
    given = table.model_fields_set
    if table.dated:
        if table.key:
            yield "key", "it tells the rows of an undated table apart; of a dated one only rows equal in all are one"
        if "ready" in given and not table.required:
            yield "ready", "a table with `required: false` is not waited for"
        elif "weekday_share" in table.ready.model_fields_set and table.ready.unchanged_minutes is None:
            yield "ready.weekday_share", "it is asked for once a row count has stood for `unchanged_minutes`"
        return
    for setting in ("day", "time", "when"):
        if getattr(table, setting):
            yield setting, "an undated table has no rows of a day"
    if "ready" in given:
        yield "ready", "an undated table is read as it is when a day is"
    if not table.required:
        yield "required", "an undated table may be empty on any day"


def _idle_of_column(column: Column) -> Iterator[tuple[str, str]]:
    given, kind = column.model_fields_set, column.type
    for setting in ("min", "max"):
        if getattr(column, setting) is not None and kind not in _NUMBERS:
            yield setting, f"it limits numbers, and this is of type {kind}"
    if column.allowed is not None and kind in _MOMENTS:
        yield "allowed", f"it is not asked of a {kind}"
    if "max_items" in given and not kind.endswith("_list"):
        yield "max_items", f"it limits lists, and this is of type {kind}"
    if "max_items" in given and column.items is not None:
        yield "max_items", "`items` says how many a list has"
    if kind in _MOMENTS and any(not isinstance(value, str) for value in column.absent):
        yield "absent", f"a {kind} is no number; a word that means missing is text, in quotes"


def _holds(kind: ColumnType, value: float | int | str) -> bool:
    """Whether a column of the type can have the value; numbers may stand in quotes."""
    if kind not in _NUMBERS:
        return True
    try:
        number = float(value)
    except ValueError:
        return False
    if kind in ("float", "float_list"):
        return math.isfinite(number)
    return number.is_integer() and (not isinstance(value, str) or value.lstrip("-").isdigit())


def _one(kind: ColumnType) -> str:
    return "number" if kind in ("float", "float_list") else "whole number"
