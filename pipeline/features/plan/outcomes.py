"""Outcomes of a row, known only after it: nothing that they say may be an input of the row itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.config import JobConfig
from pipeline.config.tables import Table
from pipeline.errors import ConfigError


def outcome_columns(config: JobConfig) -> dict[str, frozenset[str]]:
    """By table, the columns that hold outcomes: those declared so, the labels, and others read from the same cells."""
    labels: dict[str, set[str]] = {}
    if config.impressions is not None:
        labels.setdefault(config.impressions.rows, set()).add(config.impressions.label)
    if config.ranking is not None:
        package, clicks = config.ranking.package, config.ranking.labels.clicks
        taken = {each for each in (package.sections, package.style, package.reflect) if each is not None}
        labels.setdefault(config.ranking.rows, set()).update(taken)
        if clicks is not None:
            labels.setdefault(clicks.table, set()).add(clicks.tag)
            labels.setdefault(clicks.offered, set()).add(clicks.count)
    known = {name: {*t.outcomes, *(labels.get(name, set()) & set(t.columns))} for name, t in config.tables.items()}
    return {name: frozenset(_of_the_same_cells(config.tables, table, known)) for name, table in config.tables.items()}


def _of_the_same_cells(tables: Mapping[str, Table], table: Table, known: Mapping[str, set[str]]) -> Iterator[str]:
    """The columns of a table that are read from a cell with an outcome, under whatever name and by whatever table."""
    for name, outcomes in known.items():
        other = tables[name]
        if table.all_sources & other.all_sources:
            yield from (each for each in table.columns if any(table.same_cell(each, other, one) for one in outcomes))


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


def check_outcomes(config: JobConfig, frames: Mapping[str, str]) -> None:
    """No setting lets an outcome decide what its own row is: whose it is, what it is joined or compared with.

    Args:
        frames: the table of each of the frames ``row``, ``user`` and ``item``.

    Raises:
        ConfigError: one does; it names the setting, the table and the column.
    """
    for setting, table, column in [*_of_rows(config), *_of_matches(config, frames), *_of_candidates(config)]:
        problem = outcome_problem(config, table, column)
        if problem is not None:
            raise ConfigError(f"{setting}: '{column}': {problem}")


def _of_rows(config: JobConfig) -> list[tuple[str, str, str]]:
    found = [
        (f"tables.{name}.keys", table.keys.table, table.keys.column)
        for name, table in config.tables.items() if table.keys is not None
    ]  # fmt: skip
    if config.impressions is not None:
        rows = config.impressions.rows
        found += [(f"impressions.{what}", rows, getattr(config.impressions, what)) for what in ("user", "item")]
        found += [(f"tables.{rows}.order", rows, column) for column in config.tables[rows].order]
    if config.ranking is not None:
        rows = config.ranking.rows
        found += [("ranking.user", rows, config.ranking.user)]
        found += [("ranking.owner", rows, column) for column in config.ranking.owner]
        found += [("ranking.package.chapters", rows, config.ranking.package.chapters)]
    return found


def _of_matches(config: JobConfig, frames: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Columns that are compared: with those of last year's histories and rows, or with values that weigh."""
    last_year, replay, found = config.history.last_year, config.replay, []
    matched = [("history.last_year.match", each) for each in (last_year.match if last_year else ())]
    matched += [("history.last_year.own_match", each) for each in (last_year.own_match if last_year else ())]
    matched += [("replay.match", each) for each in (replay.match if replay else ())]
    if config.ranking is not None and config.ranking.weights is not None:
        matched += [("ranking.weights.column", f"user.{config.ranking.weights.column}")]
    for setting, source in matched:
        frame, _, column = source.partition(".")
        if frame in frames:
            found.append((setting, frames[frame], column))
    return found


def _of_candidates(config: JobConfig) -> list[tuple[str, str, str]]:
    """What orders the candidates, and what their chapters and sections are replaced by."""
    ranking = config.ranking
    if ranking is None:
        return []
    found, candidates, base = [], ranking.candidates, ranking.base_chapters
    if candidates.table is not None and candidates.rank is not None:
        found += [("ranking.candidates.rank", candidates.table, candidates.rank)]
    if base is not None:
        mapped = (base.chapter, base.section, base.base_chapter, base.base_section)
        found += [("ranking.base_chapters", base.table, column) for column in mapped]
    return found
