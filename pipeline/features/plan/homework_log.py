"""What must hold where requests are those of the log of what was looked at (``ranking.requests: log``)."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.config.homework import Homework
from pipeline.config.job import JobConfig
from pipeline.errors import ConfigError
from pipeline.features.plan.outcomes import outcome_problem


def check_log(
    config: JobConfig, ranking: Homework, row_features: Iterable[tuple[str, str]], matched: Iterable[tuple[str, str]]
) -> None:
    """Every column that a request carries is one of the log's, too.

    Who looked and set nothing has no row of that day. Were its columns missing instead, they would tell the label.

    Args:
        row_features: setting and column of each feature that is made of the request's own row.
        matched: setting and column of what is compared with last year's rows.

    Raises:
        ConfigError: a column is not there, of another type, or known only later; it names the setting and the column.
    """
    if ranking.log is None:
        return
    log, rows = config.tables[ranking.log], config.tables[ranking.rows]
    wanted = [*row_features, ("ranking.user", ranking.user), ("ranking.package.chapters", ranking.package.chapters)]
    wanted += [("ranking.owner", column) for column in ranking.owner]
    wanted += matched
    for setting, column in wanted:
        if column not in log.columns:
            raise ConfigError(
                f"{setting}: '{column}': with `ranking.requests: log` a request's own columns are those of the table "
                f"'{ranking.log}', which declares no such column: declare it (its query can join it), or take "
                "`requests: rows`"
            )
        theirs, ours = log.columns[column].type, rows.columns[column].type if column in rows.columns else None
        if theirs != ours:
            raise ConfigError(
                f"{setting}: '{column}' is {theirs} in the table '{ranking.log}' and {ours or 'not declared'} in "
                f"'{ranking.rows}'; with `ranking.requests: log` both are read"
            )
        problem = outcome_problem(config, ranking.log, column)
        if problem is not None:
            raise ConfigError(f"{setting}: '{column}': {problem}")
