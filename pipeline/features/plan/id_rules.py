"""Ids that a source writes as one and that mean several things, or as several and that mean one thing together."""

from __future__ import annotations

from pipeline.config import JobConfig
from pipeline.config.features import FeatureSettings


def rule_problem(
    config: JobConfig, settings: FeatureSettings, frame: str, column: str, table: str | None
) -> str | None:
    """What stands against making ids of a column by a rule, if anything.

    Args:
        column: of a package, its role.
        table: that of the frame ``row``, ``user`` or ``item``.
    """
    ranking = config.ranking
    if ranking is not None and frame in ("item", "history", "last_year"):
        if column == "key" or settings.compose is not None:
            return "`digits` are those of a package's chapters, sections, style or reflect; nothing of it is composed"
        table, column = ranking.rows, getattr(ranking.package, column)
    if table is None:
        return "`digits` and `compose` are for columns of tables"
    columns = config.tables[table].columns if table in config.tables else {}
    if column not in columns:
        return None  # told elsewhere
    declared = columns[column].type
    if settings.digits is not None and declared not in ("int", "int_list"):
        return f"`digits` are those of whole numbers, and tables.{table}.columns.{column} is declared as {declared}"
    if settings.compose is not None and declared not in ("int", "str"):
        return f"`compose` joins single ids, and tables.{table}.columns.{column} is declared as {declared}"
    return None


