"""Of which columns ids may be made by a rule: `digits` of composed ids, `compose` of several columns, `bins`."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.config.features import FeatureSettings
from pipeline.config.tables import Table


def rule_problem(
    settings: FeatureSettings, tables: Mapping[str, Table], table: str | None, column: str | None
) -> str | None:
    """What stands against making ids of a column of a table by a rule, if anything."""
    if table is None:
        return "`digits` and `compose` are for columns of tables"
    columns = tables[table].columns if table in tables else {}
    if column not in columns:
        return None  # told elsewhere
    declared = columns[column].type
    if settings.digits is not None and declared not in ("int", "int_list"):
        return f"`digits` are those of whole numbers, and tables.{table}.columns.{column} is declared as {declared}"
    if settings.bins is not None and declared not in ("int", "float"):
        return f"`bins` are of numbers, and tables.{table}.columns.{column} is declared as {declared}"
    if settings.compose is not None and declared not in ("int", "str"):
        return f"`compose` joins single ids, and tables.{table}.columns.{column} is declared as {declared}"
    return None
