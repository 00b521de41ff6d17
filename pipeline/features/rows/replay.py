"""Last year's same-day rows of similar teachers, which join a day's training set under this year's chapters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.schema import MISSING_INT, MISSING_STR
from pipeline.config.last_year import Replay
from pipeline.days import Day
from pipeline.features.frames.frame import Array, Frame, Lists
from pipeline.features.frames.from_arrow import codes
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.rows.day import Tables
from pipeline.features.rows.homework import base_ids, context, matched_columns, positive_rows
from pipeline.features.rows.homework_day import HomeworkDay
from pipeline.features.rows.packages import Packages, joined, packages


def days_to_replay(settings: Replay, day: Day) -> list[Day]:
    """The days whose rows are replayed on ``day``, ascending: the same date of earlier years, or its week.

    >>> days_to_replay(Replay(match=("row.grade",)), Day.parse("2024-02-29"))
    [Day('2023-02-28')]
    """
    found: set[Day] = set()
    for years in range(1, settings.years + 1):
        same = day.year_before(years, same_weekday=settings.same_weekday)
        monday = same.plus(-same.weekday)
        found |= set(monday.through(monday.plus(6))) if settings.window == "week" else {same}
    return sorted(found)


def replay_rows(
    plan: HomeworkPlan, settings: Replay, today: HomeworkDay, today_tables: Tables, tables: Tables, past: Day
) -> HomeworkDay:
    """The rows of ``past`` that are replayed beside those of ``today``: all of them positive.

    Kept are rows that share the matched columns with a request of today and whose base chapters overlap those that
    such requests set today; they carry the chapters of the overlap. Of rows that share all of these and the package
    the first is kept.

    Args:
        today_tables: for the mapping to base ids, which is today's for both.
        tables: the validated tables of ``past``.
    """
    ranking = plan.settings
    table = tables(ranking.rows)
    taken = packages(table, ranking.package, base_ids(ranking, today_tables))
    events = context(plan, tables, past, table, taken)
    # Where requests are those of the log, what they saw is not what was set.
    frame = today.requests if ranking.log is None else today.events
    ours = matched_columns(frame, settings.match)
    theirs = matched_columns(events, settings.match)
    group, here = _groups(ours, theirs)
    kept = np.isin(here, group[group >= 0])
    if settings.overlap:
        chapters = frame[f"row.{ranking.package.chapters}"]
        assert isinstance(chapters, Lists)
        shared = _overlap(group, chapters, here, taken.chapters)
        kept &= shared.lengths > 0
        taken = Packages(
            taken.rows, shared, taken.sections, taken.style, taken.reflect, taken.key, taken.no_base
        )  # fmt: skip
    rows = np.flatnonzero(kept)
    rows = rows[_first_of_each(here[rows], taken.take(rows))]
    chosen = taken.take(rows)
    columns = {**events.take(rows).columns, f"row.{ranking.package.chapters}": chosen.chapters}
    return positive_rows(plan, past, Frame(len(rows), columns), chosen)


def _groups(ours: Sequence[Array], theirs: Sequence[Array]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for each tuple of matched values, of both sides; -1 where a value is missing."""
    mine = len(ours[0])
    both = [np.concatenate([a, b]) for a, b in zip(ours, theirs, strict=True)]
    group = codes(*both)
    for column in both:
        missing = column == MISSING_INT if column.dtype.kind == "i" else column == MISSING_STR
        group[np.asarray(missing, bool)] = -1
    return group[:mine], group[mine:]


def _overlap(
    group: NDArray[np.int64], chapters: Lists, here: NDArray[np.int64], theirs: Lists
) -> Lists:
    """Of each row's chapters those that its group set today."""
    number = codes(np.concatenate([chapters.values, theirs.values]))
    span = int(number.max(initial=0)) + 1
    today = np.repeat(group, chapters.lengths) * span + number[: len(chapters.values)]
    past_group = np.repeat(here, theirs.lengths)
    past = past_group * span + number[len(chapters.values) :]
    kept = np.isin(past, today) & (past_group >= 0)
    before = np.zeros(len(kept) + 1, np.int64)
    np.cumsum(kept, out=before[1:])
    return Lists(before[theirs.offsets], theirs.values[kept])


def _first_of_each(group: NDArray[np.int64], taken: Packages) -> NDArray[np.int64]:
    """The first row of each (group, chapters, sections, style)."""
    if not len(group):
        return np.zeros(0, np.int64)
    texts = [np.asarray(joined(lists, ",").to_numpy(zero_copy_only=False), object)
             for lists in (taken.chapters, taken.sections, taken.style)]  # fmt: skip
    return np.sort(np.unique(codes(group, *texts), return_index=True)[1])
