"""Columns that a job's section names beside its features' sources: declared in their tables, or a day fails on them."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config import JobConfig
from pipeline.config.requests import Profile, Ranking
from pipeline.errors import ConfigError


def check_named_columns(config: JobConfig) -> None:
    """Every column that a setting names is one of its table's, and what it is compared with can be there.

    Raises:
        ConfigError: names the setting.
    """
    for setting, table, column in _named(config):
        if column not in config.tables[table].columns:
            raise ConfigError(f"{setting}: the table '{table}' declares no column '{column}'")
    ranking = config.ranking
    if ranking is None:
        return
    profile = ranking.profile
    if profile is not None and profile.register_day is not None:
        kind = config.tables[profile.table].columns[profile.register_day].type
        if kind != "day":
            column = profile.register_day
            raise ConfigError(f"ranking.profile.register_day: '{column}' is declared as {kind}, not as day")
    for name in config.replay.match if config.replay is not None else ():
        if name.partition(".")[0] not in ("row", "user") or (name.startswith("user.") and profile is None):
            raise ConfigError(
                f"replay.match: '{name}' is no column of a teacher's row; write row.<column> of the table "
                f"'{ranking.rows}', or user.<column> of `ranking.profile`"
            )
    _check_clicked(config, ranking)
    if ranking.weights is not None and profile is None:
        raise ConfigError("ranking.weights: is by a column of the profile, and there is no `ranking.profile`")
    if ranking.weights is not None and profile is not None:
        weighed = config.tables[profile.table].columns[ranking.weights.column]
        if weighed.type != "int":
            raise ConfigError(
                f"ranking.weights.column: '{ranking.weights.column}' is declared as {weighed.type}, and `weights` are "
                "by whole numbers: none would ever be equal"
            )


def _check_clicked(config: JobConfig, ranking: Ranking) -> None:
    clicks = ranking.labels.clicks
    if clicks is None:
        return
    allowed = config.tables[clicks.table].columns[clicks.tag].allowed
    for tag in clicks.clicked:
        if allowed is not None and tag not in {str(value) for value in allowed}:
            raise ConfigError(
                f"ranking.labels.clicks.clicked: '{tag}' is not among what the column '{clicks.tag}' may be "
                f"({', '.join(map(str, allowed))}), so nothing would be a click"
            )


def _named(config: JobConfig) -> Iterator[tuple[str, str, str]]:
    """Setting, table and column."""
    ranking, shown = config.ranking, config.impressions
    if shown is not None:
        for name, profile in (("profile", shown.profile), ("items", shown.items)):
            yield from _of_profile(f"impressions.{name}", profile)
    if ranking is None:
        return
    package, clicks, base, study = ranking.package, ranking.labels.clicks, ranking.base_chapters, ranking.study
    yield "ranking.package.chapters", ranking.rows, package.chapters
    yield "ranking.package.sections", ranking.rows, package.sections
    if clicks is not None:
        yield "ranking.labels.clicks.tag", clicks.table, clicks.tag
        yield "ranking.labels.clicks.count", clicks.offered, clicks.count
    if ranking.candidates.table is not None and ranking.candidates.rank is not None:
        yield "ranking.candidates.rank", ranking.candidates.table, ranking.candidates.rank
    if base is not None:
        for setting in ("chapter", "section", "base_chapter", "base_section"):
            yield f"ranking.base_chapters.{setting}", base.table, getattr(base, setting)
    yield from _of_profile("ranking.profile", ranking.profile)
    if ranking.profile is not None and ranking.weights is not None:
        yield "ranking.weights.column", ranking.profile.table, ranking.weights.column
    if study is not None:
        for column in (study.owner, study.section, *study.values):
            yield "ranking.study", study.table, column
    frames = {"row": ranking.rows} | ({"user": ranking.profile.table} if ranking.profile is not None else {})
    for name in config.replay.match if config.replay is not None else ():
        frame, _, column = name.partition(".")
        if frame in frames:
            yield "replay.match", frames[frame], column


def _of_profile(setting: str, profile: Profile | None) -> Iterator[tuple[str, str, str]]:
    if profile is not None:
        yield f"{setting}.key", profile.table, profile.key
        if profile.register_day is not None:
            yield f"{setting}.register_day", profile.table, profile.register_day
