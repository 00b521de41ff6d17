"""What a job's settings say of its features against what its tables declare; every mistake names its setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.schema import Kind
from pipeline.config import JobConfig
from pipeline.config.requests import Package
from pipeline.errors import ConfigError
from pipeline.features.plan.declared import COUNTED_DAYS, HISTORY_PARTS, ROLES, STYLE_COUNTS, PlannedFeature
from pipeline.features.plan.id_rules import rule_problem
from pipeline.features.plan.outcomes import outcome_problem
from pipeline.features.plan.row_parts import ROW


def check_sources(config: JobConfig, features: Mapping[str, PlannedFeature]) -> None:
    """Every feature has a source of its side, and every table that the job names is declared.

    Raises:
        ConfigError: names the setting.
    """
    for planned in features.values():
        if planned.settings.counter is not None:
            continue
        _check_side(planned, config.kind == "ranking")
        for frame, column in planned.columns:
            problem = _problem(config, planned, frame, column)
            if problem is None and not planned.plain:
                table = frame_tables(config).get(frame)
                problem = rule_problem(config, planned.settings, frame, HISTORY_PARTS.get(column, column), table)
            if problem:
                raise ConfigError(f"features.{planned.name}.source: '{frame}.{column}': {problem}")
    for setting, table in _named_tables(config):
        if table not in config.tables:
            raise ConfigError(f"{config.kind}.{setting}: '{table}' is not declared under `tables`")


def frame_tables(config: JobConfig) -> dict[str, str]:
    """By frame, the table that ``row``, ``user`` and ``item`` are columns of, where the job has it."""
    section = config.ranking or config.impressions
    assert section is not None
    items = config.impressions.items if config.impressions else None
    named = {"row": section.rows}
    named |= {frame: each.table for frame, each in (("user", section.profile), ("item", items)) if each is not None}
    return named


def _named_tables(config: JobConfig) -> Iterator[tuple[str, str]]:
    """Settings that name a table, with the table."""
    section = config.ranking or config.impressions
    assert section is not None
    yield "rows", section.rows
    named = {"profile": section.profile}
    if config.ranking is not None:
        ranking = config.ranking
        if ranking.candidates.table is not None:
            yield "candidates.table", ranking.candidates.table
        if ranking.labels.clicks is not None:
            yield "labels.clicks.table", ranking.labels.clicks.table
            yield "labels.clicks.offered", ranking.labels.clicks.offered
        for setting, part in (
            ("base_chapters", ranking.base_chapters), ("study", ranking.study), ("style_counts", ranking.style_counts)
        ):  # fmt: skip
            if part is not None:
                yield f"{setting}.table", part.table
    if config.impressions is not None:
        named["items"] = config.impressions.items
    for setting, profile in named.items():
        if profile is not None:
            yield f"{setting}.table", profile.table


def _problem(config: JobConfig, planned: PlannedFeature, frame: str, column: str) -> str | None:
    """What is wrong with one source, if anything."""
    if frame == "calendar":
        return None if column == "weekday" else "the calendar has `weekday` only"
    if frame == "study":
        study = config.ranking.study if config.ranking else None
        if study is None:
            return "the job has no `ranking.study`"
        size = len(study.values) + 1
        if planned.feature.size != size:
            return f"needs size {size}: the {size - 1} values and the number of sections that have them"
        return None if planned.feature.kind is Kind.DENSE else "is dense"
    if frame == "style_counts":
        if config.ranking is None or config.ranking.style_counts is None:
            return "the job has no `ranking.style_counts`"
        if column not in COUNTED_DAYS:
            return f"no such counts; one of {', '.join(COUNTED_DAYS)}"
        return None if planned.feature.kind is Kind.DENSE else "is dense"
    if frame == "last_year" and config.history.last_year is None:
        return "the job has no `history.last_year`"
    changed = planned.settings.buckets is not None or planned.settings.part is not None
    if frame in ("history", "last_year") and changed and not column.startswith(ROW):
        return "a history keeps the ids of its items: `buckets` and `part` change nothing of it"
    if frame in ("history", "last_year") and config.kind == "ranking":
        if frame == "history" and column == STYLE_COUNTS:
            return None if planned.feature.kind is Kind.DENSE else "is dense"
        parts = tuple(p for p in HISTORY_PARTS if p != "styles" or (config.ranking and config.ranking.package.style))
        if column not in parts:
            return f"no such part; one of {', '.join(parts)}"
        return None if planned.feature.kind is Kind.BAG_SEQUENCE else "is a bag_sequence"
    if frame == "last_year":
        return "an impression has no last year's history"
    if frame == "history":
        assert config.impressions is not None
        parts = ("items", *config.impressions.history_parts)
        if column not in parts:
            return f"no such part; one of {', '.join(parts)} (see impressions.history_parts)"
        ok = planned.feature.kind in (Kind.SEQUENCE, Kind.BAG_SEQUENCE)
        return None if ok else "is a sequence or a bag_sequence"
    if frame == "item" and config.kind == "ranking":
        if column not in ROLES:
            return f"no such column of a package; one of {', '.join(ROLES)}"
        if planned.settings.buckets is not None or planned.settings.part is not None or not planned.feature.has_ids:
            return "columns of a package are ids as they are, or their `digits`"
        return _package_problem(config.ranking.package, column) if config.ranking else None
    return _table_problem(config, planned, frame, column)


def _package_problem(package: Package, role: str) -> str | None:
    absent = (role == "style" and package.style is None) or (role == "reflect" and package.reflect is None)
    return f"`ranking.package` names no {role} column" if absent else None


def _table_problem(config: JobConfig, planned: PlannedFeature, frame: str, column: str) -> str | None:
    ranking, impressions = config.ranking, config.impressions
    table = frame_tables(config).get(frame)
    if table is None:
        return f"the job has no {'profile' if frame == 'user' else 'items'} table"
    if table in config.tables and column not in config.tables[table].columns:
        return f"the table '{table}' declares no such column"
    if planned.feature.kind is Kind.BAG_SEQUENCE:
        return "is a column of one row; a bag_sequence is made of `history.` or `last_year.`"
    if ranking is not None and frame == "row" and column != ranking.package.chapters:
        package = ranking.package
        if column in (package.sections, package.style, package.reflect):
            return "what was set is the label; on the request's side it would give the answer away"
    if impressions is not None and frame == "row" and column == impressions.label:
        return "is the label"
    return outcome_problem(config, table, column)


def _check_side(planned: PlannedFeature, ranking: bool) -> None:
    allowed = {
        "row": ("request",) if ranking else ("request", "pair"),
        "user": ("request",), "calendar": ("request",), "history": ("request",), "last_year": ("request",),
        "style_counts": ("request",), "item": ("item",), "study": ("pair",),
    }[planned.frame or "row"]  # fmt: skip
    side = planned.feature.side.value
    if side not in allowed:
        raise ConfigError(
            f"features.{planned.name}.side: '{side}', but `{planned.frame}.` columns are on the side "
            f"{' or '.join(allowed)}"
        )
