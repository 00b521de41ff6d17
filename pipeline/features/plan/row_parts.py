"""Parts of a history that are columns of the impression's own row: what came of it, for later days to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipeline.config.impressions import Impressions
from pipeline.config.job import JobConfig
from pipeline.errors import ConfigError
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.outcomes import column_problem, outcome_problem

ROW = "row."
"""Before a column's name, in ``impressions.history_parts``: it is one of the impression's own row."""
_PLAIN = ("int", "str", "int_list", "str_list", "path_list")


def row_parts(
    config: JobConfig, settings: Impressions, features: Mapping[str, PlannedFeature]
) -> dict[str, PlannedFeature]:
    """By part, the feature that says how its values become ids, made of the row's column.

    Raises:
        ConfigError: no such column, none of ids, or features that make ids of it in different ways.
    """
    found = {}
    for part in settings.history_parts:
        if not part.startswith(ROW):
            continue
        column, table = part.removeprefix(ROW), config.tables[settings.rows]
        where = f"impressions.history_parts: '{part}'"
        problem = column_problem(config, settings.rows, column)
        if problem is not None:
            raise ConfigError(f"{where}: {problem}")
        of_part = [each for each in features.values() if each.columns == (("history", part),)]
        ways = {(each.settings.buckets, each.settings.part) for each in of_part}
        if len(ways) > 1:
            names = ", ".join(f"'{each.name}'" for each in of_part)
            raise ConfigError(f"{where}: the features {names} differ in `buckets` or `part`; a history keeps one id")
        declared = table.columns[column].type
        if declared not in _PLAIN and not (declared == "float" and ways and next(iter(ways))[0] is not None):
            more = " without `buckets`" if declared == "float" else ""
            raise ConfigError(f"{where}: is declared as {declared}, which is no id{more}")
        for other in features.values():
            shared = other.feature.space in {each.feature.space for each in of_part} and other.feature.has_ids
            if shared and other not in of_part and outcome_problem(config, settings.rows, column) is not None:
                raise ConfigError(
                    f"{where}: is an outcome, whose new ids would move those of the day's own rows; give it "
                    f"an id space of its own, not '{other.feature.space}' of the feature '{other.name}'"
                )
        if of_part:
            found[part] = replace(of_part[0], columns=(("row", column),))
    return found
