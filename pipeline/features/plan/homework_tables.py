"""Tables and columns that the section of a job for homework names: declared, of the right type, and no outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.config.homework import Homework
from pipeline.config.job import JobConfig
from pipeline.errors import ConfigError
from pipeline.features.plan.declared import Declared
from pipeline.features.plan.homework_log import check_log
from pipeline.features.plan.request import columns_of_profile


def named_tables(ranking: Homework) -> Iterator[tuple[str, str]]:
    """Settings that name a table, with the table."""
    yield "rows", ranking.rows
    if ranking.candidates.table is not None:
        yield "candidates.table", ranking.candidates.table
    if ranking.labels.clicks is not None:
        yield "labels.clicks.table", ranking.labels.clicks.table
        yield "labels.clicks.offered", ranking.labels.clicks.offered
    for setting, part in (
        ("base_chapters", ranking.base_chapters), ("study", ranking.study), ("style_counts", ranking.style_counts),
        ("profile", ranking.profile),
    ):  # fmt: skip
        if part is not None:
            yield f"{setting}.table", part.table


def named_columns(config: JobConfig, ranking: Homework) -> Iterator[tuple[str, str, str]]:
    """Setting, table and column, where a day would fail on a column that is not there."""
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
    yield from columns_of_profile("ranking.profile", ranking.profile)
    if ranking.profile is not None and ranking.weights is not None:
        yield "ranking.weights.column", ranking.profile.table, ranking.weights.column
    if study is not None:
        for column in (study.owner, study.section, *study.values):
            yield "ranking.study", study.table, column
    yield from _of_frames(ranking, (("replay.match", each) for each in (config.replay.match if config.replay else ())))


def deciding(config: JobConfig, ranking: Homework) -> Iterator[tuple[str, str, str]]:
    """Setting, table and column of what decides what a row is."""
    rows, candidates, base = ranking.rows, ranking.candidates, ranking.base_chapters
    yield "ranking.user", rows, ranking.user
    yield from (("ranking.owner", rows, column) for column in ranking.owner)
    yield "ranking.package.chapters", rows, ranking.package.chapters
    yield from _of_frames(ranking, _matched(config))
    if ranking.weights is not None:
        yield from _of_frames(ranking, [("ranking.weights.column", f"user.{ranking.weights.column}")])
    if candidates.table is not None and candidates.rank is not None:
        yield "ranking.candidates.rank", candidates.table, candidates.rank
    if base is not None:
        for column in (base.chapter, base.section, base.base_chapter, base.base_section):
            yield "ranking.base_chapters", base.table, column


def _matched(config: JobConfig) -> Iterator[tuple[str, str]]:
    """Columns that are compared with those of last year's histories and rows: setting and source."""
    last_year, replay = config.history.last_year, config.replay
    yield from (("history.last_year.match", each) for each in (last_year.match if last_year else ()))
    yield from (("history.last_year.own_match", each) for each in (last_year.own_match if last_year else ()))
    yield from (("replay.match", each) for each in (replay.match if replay else ()))


def check_columns(config: JobConfig, ranking: Homework, features: Declared) -> None:
    """What is compared with a column can be there, and a request of the log has its columns; raises ``ConfigError``."""
    profile, weights = ranking.profile, ranking.weights
    if profile is not None and profile.register_day is not None:
        kind = config.tables[profile.table].columns[profile.register_day].type
        if kind != "day":
            column = profile.register_day
            raise ConfigError(f"ranking.profile.register_day: '{column}' is declared as {kind}, not as day")
    for name in config.replay.match if config.replay is not None else ():
        if name.partition(".")[0] not in ranking.frames:
            raise ConfigError(
                f"replay.match: '{name}' is no column of a teacher's row; write row.<column> of the table "
                f"'{ranking.rows}', or user.<column> of `ranking.profile`"
            )
    _check_clicked(config, ranking)
    if weights is not None and profile is None:
        raise ConfigError("ranking.weights: is by a column of the profile, and there is no `ranking.profile`")
    if weights is not None and profile is not None:
        weighed = config.tables[profile.table].columns[weights.column]
        if weighed.type != "int":
            raise ConfigError(
                f"ranking.weights.column: '{weights.column}' is declared as {weighed.type}, and `weights` are "
                "by whole numbers: none would ever be equal"
            )
    of_rows = [(f"features.{f.name}.source", column) for f in features.of_frame("row") for _, column in f.columns]
    matched = [(setting, name.removeprefix("row.")) for setting, name in _matched(config) if name.startswith("row.")]
    check_log(config, ranking, of_rows, matched)


def _check_clicked(config: JobConfig, ranking: Homework) -> None:
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


def _of_frames(ranking: Homework, named: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Setting, table and column of sources such as ``row.grade``, where the job has the frame."""
    for setting, source in named:
        frame, _, column = source.partition(".")
        if frame in ranking.frames:
            yield setting, ranking.frames[frame], column
