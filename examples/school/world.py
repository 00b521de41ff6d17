"""The ground truth: counties, teachers, classes, and what they prefer. Pure: drawn once from the seed.

A county uses two editions and three consecutive grades: six groups of classes, which are the "similar classes" of the
pipeline (same county, edition, grade). Two cohorts share the counties: this year's classes and last year's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from examples.school.options import Options
from examples.school.textbook import CHAPTERS, EDITIONS, GRADES, MAIN, SECTIONS, TERMS

GROUPS = 6
_POPULARITY = 0.2  # fall of the log-odds from one style to the next
_GROUP, _SECOND, _COUNTY, _HABIT, _CHAPTER = 4.0, 2.5, 2.5, 2.0, 2.0  # log-odds of a favourite style
_REPEATED = 0.6
KINDS = SECTIONS - 1
"""Hidden kinds of teachers, as many as there are two neighbouring sections in a chapter."""


@dataclass(frozen=True)
class Teachers:
    """One value a teacher; ``register`` is a day's ordinal, ``new`` those who register in this year's range."""

    teacher_id: NDArray[np.int64]
    county: NDArray[np.int64]
    school: NDArray[np.int64]
    register: NDArray[np.int64]
    core: NDArray[np.int64]
    years: NDArray[np.int64]
    new: NDArray[np.bool_]


@dataclass(frozen=True)
class Classes:
    """One value a class; ``teacher`` is an index of `Teachers`, ``edition`` of ``EDITIONS``, ``start`` an ordinal."""

    class_id: NDArray[np.int64]
    teacher: NDArray[np.int64]
    county: NDArray[np.int64]
    group: NDArray[np.int64]
    edition: NDArray[np.int64]
    grade: NDArray[np.int64]
    start: NDArray[np.int64]
    printing: NDArray[np.int64]


@dataclass(frozen=True)
class Law:
    """How a cohort chooses.

    Attributes:
        styles: log-odds of the main styles by class, ``[classes, MAIN]``.
        chapters: added by chapter, ``[chapters, MAIN]``.
        ordered: sections follow one another; else any section of the chapter.
        repeated: share of the sections, and of the styles, that are the chapter's own, the same every year.
        repeated_section, repeated_style: those of each chapter, ``[chapters]``.
        kinds: the hidden kind of each class's teacher, ``[classes]``; none: no sections belong together.
        together: the first of the two sections that belong together, by chapter and kind, ``[chapters, KINDS]``.
    """

    styles: NDArray[np.float64]
    chapters: NDArray[np.float64]
    ordered: bool
    repeated: float
    repeated_section: NDArray[np.int64]
    repeated_style: NDArray[np.int64]
    kinds: NDArray[np.int64] | None
    together: NDArray[np.int64]


@dataclass(frozen=True)
class World:
    teachers: Teachers
    this_year: tuple[Classes, Law]
    last_year: tuple[Classes, Law]


def make_world(options: Options) -> World:
    """Draws teachers, both cohorts and their laws."""
    counties = max(2, options.teachers // 8)
    teachers = _teachers(options, counties)
    first_grade = options.random("grades").integers(1, GRADES - 1, counties)
    skipped = options.random("editions").integers(0, len(EDITIONS), counties)
    here = _this_year(options, teachers, first_grade, skipped)
    then = _last_year(options, teachers, here, first_grade, skipped)
    return World(teachers, (here, _law(options, teachers, here)), (then, _law_of_last_year(options, then)))


def teacher_table(teachers: Teachers) -> pa.Table:
    """`r_teacher_info`."""
    from datetime import date

    return pa.table(
        {
            "teacher_id": teachers.teacher_id,
            "province_id": 11 + teachers.county // 12,
            "city_id": 1101 + teachers.county // 4,
            "county_id": 110_101 + teachers.county * 7,
            "school_id": 30_000 + teachers.school,
            "register_day": pa.array([date.fromordinal(day).isoformat() for day in teachers.register.tolist()]),
            "is_core": teachers.core,
            "years_teaching": teachers.years,
        }
    )


def _teachers(options: Options, counties: int) -> Teachers:
    """This year's teachers, then a third as many who have left since last year."""
    random = options.random("teachers")
    count = options.teachers + options.teachers // 3 + counties
    new = np.arange(count) < options.teachers // 4
    register = np.where(
        new,
        options.first.ordinal + random.integers(0, options.days, count),
        options.first.ordinal - random.integers(420, 3500, count),
    )
    county = np.concatenate([random.integers(0, counties, count - counties), np.arange(counties)])
    return Teachers(
        teacher_id=random.choice(np.arange(1_000_000, 1_000_000 + 40 * count), count, replace=False),
        county=county,
        school=county * 5 + random.integers(0, 5, count),
        register=register,
        core=(random.random(count) < 0.15).astype(np.int64),
        years=random.integers(0, 30, count),
        new=new,
    )


def _this_year(
    options: Options, teachers: Teachers, first_grade: NDArray[np.int64], skipped: NDArray[np.int64]
) -> Classes:
    """One to four classes a teacher; a new teacher's start with the registration, some others are new too."""
    random = options.random("classes")
    per_teacher = random.choice([1, 2, 3, 4], options.teachers, p=[0.3, 0.3, 0.25, 0.15])
    teacher = np.repeat(np.arange(options.teachers), per_teacher)
    later = random.random(len(teacher)) < 0.15
    start = np.where(
        teachers.new[teacher],
        teachers.register[teacher],
        np.where(later, options.first.ordinal + random.integers(0, options.days, len(teacher)), 0),
    )
    return _classes(
        class_id=random.choice(np.arange(7_000_000, 7_000_000 + 40 * len(teacher)), len(teacher), replace=False),
        teacher=teacher,
        county=teachers.county[teacher],
        slot=random.integers(0, GROUPS, len(teacher)),
        first_grade=first_grade,
        skipped=skipped,
        start=start,
        printing=(random.random(len(teacher)) < 0.3).astype(np.int64),
    )


def _last_year(
    options: Options,
    teachers: Teachers,
    here: Classes,
    first_grade: NDArray[np.int64],
    skipped: NDArray[np.int64],
) -> Classes:
    """Several classes a group, of teachers who were there; this year's older classes among them, a grade lower."""
    random = options.random("last year's classes")
    counties = len(first_grade)
    county = np.repeat(np.arange(counties), GROUPS * options.last_year_classes)
    slot = np.tile(np.repeat(np.arange(GROUPS), options.last_year_classes), counties)
    old = np.flatnonzero(~teachers.new)
    old = old[np.argsort(teachers.county[old], kind="stable")]
    low = np.searchsorted(teachers.county[old], county)
    high = np.searchsorted(teachers.county[old], county, side="right")
    teacher = old[low + (random.random(len(county)) * (high - low)).astype(np.int64)]
    class_id = 9_000_000 + random.choice(40 * len(county), len(county), replace=False)
    # A class keeps its id as it moves up: one of each group takes the id of an older class one grade above.
    group_above = np.where(slot % 3 < 2, county * GROUPS + slot + 1, -1)
    first_of_group = np.flatnonzero(np.arange(len(county)) % options.last_year_classes == 0)
    older = np.flatnonzero(here.start == 0)
    groups, position = np.unique(here.group[older], return_index=True)
    place = np.minimum(np.searchsorted(groups, group_above[first_of_group]), len(groups) - 1) if len(groups) else None
    if place is not None:
        match = groups[place] == group_above[first_of_group]
        class_id[first_of_group[match]] = here.class_id[older[position[place[match]]]]
    return _classes(
        class_id=class_id,
        teacher=teacher,
        county=county,
        slot=slot,
        first_grade=first_grade,
        skipped=skipped,
        start=np.zeros(len(county), dtype=np.int64),
        printing=(random.random(len(county)) < 0.3).astype(np.int64),
    )


def _classes(
    *,
    class_id: NDArray[np.int64],
    teacher: NDArray[np.int64],
    county: NDArray[np.int64],
    slot: NDArray[np.int64],
    first_grade: NDArray[np.int64],
    skipped: NDArray[np.int64],
    start: NDArray[np.int64],
    printing: NDArray[np.int64],
) -> Classes:
    edition = slot // 3
    return Classes(
        class_id=class_id,
        teacher=teacher,
        county=county,
        group=county * GROUPS + slot,
        edition=edition + (edition >= skipped[county]),  # the county's two editions are all but one
        grade=first_grade[county] + slot % 3,
        start=start,
        printing=printing,
    )


def _law(options: Options, teachers: Teachers, classes: Classes) -> Law:
    random = options.random("habits")
    logits = _popularity(options, "popularity", len(classes.group))
    habit = random.integers(0, MAIN, len(classes.group))
    county = _favourites(options, "county favourites", classes.county)[:, 0]
    of_county = teachers.new[classes.teacher] & ("county" in options.effects)
    _raise(logits, np.where(of_county, county, habit), _COUNTY if "county" in options.effects else _HABIT)
    if "last_year" in options.effects:
        _raise_groups(options, logits, "group favourites", classes)
    chapters = _by_chapter(options, "chapter favourites")
    return Law(logits, chapters, "order" in options.effects, *_repetition(options), *_together(options, classes))


def _law_of_last_year(options: Options, classes: Classes) -> Law:
    """Shares with this year's law what the effects `last_year` and `repetition` say; the rest is its own."""
    shared = "repetition" in options.effects
    own = "" if shared else " of last year"
    logits = _popularity(options, "popularity" + own, len(classes.group))
    favourites = "group favourites" if "last_year" in options.effects else "group favourites of last year"
    _raise_groups(options, logits, favourites, classes)
    chapters = _by_chapter(options, "chapter favourites" + own)
    ordered = shared and "order" in options.effects
    return Law(logits, chapters, ordered, *_repetition(options), *_together(options, classes))


def _repetition(options: Options) -> tuple[float, NDArray[np.int64], NDArray[np.int64]]:
    """How much is repeated, and each chapter's section and style that are."""
    random = options.random("repetition")
    chapters = len(EDITIONS) * GRADES * TERMS * CHAPTERS
    share = _REPEATED if "repetition" in options.effects else 0.0
    return share, random.integers(0, SECTIONS, chapters), random.integers(0, MAIN, chapters)


def _together(options: Options, classes: Classes) -> tuple[NDArray[np.int64] | None, NDArray[np.int64]]:
    """The kind of each class's teacher, the same in both years, and what each kind sets together in each chapter."""
    chapters = len(EDITIONS) * GRADES * TERMS * CHAPTERS
    together = np.argsort(options.random("sections set together").random((chapters, KINDS)), axis=1)
    if "together" not in options.effects:
        return None, together
    return options.random("kinds").integers(0, KINDS, int(classes.teacher.max()) + 1)[classes.teacher], together


def _popularity(options: Options, name: str, rows: int) -> NDArray[np.float64]:
    place = options.random(name).permutation(MAIN)
    return np.tile(-_POPULARITY * place, (rows, 1)).astype(np.float64)


def _favourites(options: Options, name: str, owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Two different main styles for each owner, ``[rows, 2]``."""
    owners = int(owner.max()) + 1
    return np.argsort(options.random(name).random((owners, MAIN)), axis=1)[owner, :2]


def _raise_groups(options: Options, logits: NDArray[np.float64], name: str, classes: Classes) -> None:
    groups = np.arange((int(classes.county.max()) + 1) * GROUPS)
    favourites = _favourites(options, name, groups)[classes.group]
    _raise(logits, favourites[:, 0], _GROUP)
    _raise(logits, favourites[:, 1], _SECOND)


def _by_chapter(options: Options, name: str) -> NDArray[np.float64]:
    chapters = len(EDITIONS) * GRADES * TERMS * CHAPTERS
    logits = np.zeros((chapters, MAIN))
    if "style" in options.effects:
        _raise(logits, _favourites(options, name, np.arange(chapters))[:, 0], _CHAPTER)
    return logits


def _raise(logits: NDArray[np.float64], style: NDArray[np.int64], by: float) -> None:
    logits[np.arange(len(style)), style] += by
