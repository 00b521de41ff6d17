"""A day's homework as rows of the homework job's tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from examples.school.homework import Homework
from examples.school.options import Options
from examples.school.textbook import EDITIONS, SLOTS, Textbooks
from examples.school.world import Classes, Teachers
from pipeline.days import Day

OFFERED = 10
"""Packages offered to a class beside those that it sets."""

VALUES = 20
"""Floats on how a class masters a section."""

_SEEN, _OPENED, _TWICE, _UNMEASURED = 0.8, 0.08, 0.1, 0.02
_MINUTE = 60_000
_UTC_TO_SHANGHAI = 8 * 60 * _MINUTE

TABLES = ("daily_homework_info", "homework_click_log", "homework_offered", "class_study", "style_counts")


def homework_day(
    options: Options, cohort: str, books: Textbooks, teachers: Teachers, classes: Classes, homework: Homework
) -> Mapping[str, pa.Table]:
    """The rows of all dated tables of the homework job, by table; ids of the logs as text."""
    random = options.random(f"{cohort} tables", homework.day.ordinal)
    rows = _Rows(books, teachers, classes, homework.day)
    owner, package = homework.classes, homework.packages
    others, other_owner = _offers(books, owner, package, random)
    owners, packages = np.append(owner, other_owner), np.append(package, others)
    is_set = np.arange(len(packages)) < len(package)
    times = np.where(is_set, 1 + (random.random(len(packages)) < _TWICE), 0)
    offered = rows.of(owners, packages, ("day", "teacher_id", "class_id", "chapter_id", "section_id", "style"))
    return {
        "daily_homework_info": _info(rows, homework),
        "homework_click_log": _clicks(rows, owners, packages, is_set, random),
        "homework_offered": offered.append_column("cnt", pa.array(times.astype(str))),
        "class_study": _study(options, books, classes, homework, random),
        "style_counts": _style_counts(books, teachers, classes, homework),
    }


class _Rows:
    """Columns that several tables share, by class and package."""

    def __init__(self, books: Textbooks, teachers: Teachers, classes: Classes, day: Day) -> None:
        self.books, self.teachers, self.classes, self.day = books, teachers, classes, day

    def of(self, owner: NDArray[np.int64], package: NDArray[np.int64], names: tuple[str, ...]) -> pa.Table:
        """The named columns, one row an (owner, package)."""
        classes, books = self.classes, self.books
        printing = classes.printing[owner]
        make = {
            "day": lambda: pa.repeat(pa.scalar(str(self.day)), len(owner)),
            "teacher_id": lambda: _text(self.teachers.teacher_id[classes.teacher[owner]]),
            "class_id": lambda: _text(classes.class_id[owner]),
            "edition_id": lambda: _text(EDITIONS[classes.edition[owner]]),
            "grade": lambda: _text(classes.grade[owner]),
            "chapter_id": lambda: _printed(books.chapter_text, printing, package),
            "section_id": lambda: _printed(books.section_text, printing, package),
            "style": lambda: _text(books.style[package]),
            "reflect_id": lambda: _text(books.reflect[package]),
        }
        return pa.table({name: make[name]() for name in names})


def _info(rows: _Rows, homework: Homework) -> pa.Table:
    names = ("day", "teacher_id", "class_id", "edition_id", "grade", "chapter_id", "section_id", "style", "reflect_id")
    table = rows.of(homework.classes, homework.packages, names)
    return table.add_column(5, "term", _text(np.full(table.num_rows, homework.term)))


def _offers(
    books: Textbooks, owner: NDArray[np.int64], package: NDArray[np.int64], random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Other packages of the chapter that a class sets from, more often those of a good rank, and their classes."""
    owners, first, row = np.unique(owner, return_index=True, return_inverse=True)
    of_chapter = (package[first] // SLOTS * SLOTS)[:, None] + np.arange(SLOTS)
    wait = random.exponential(size=of_chapter.shape) * (10 + books.rank[of_chapter])
    wait[~books.exists[of_chapter]] = np.inf
    wait[row, package % SLOTS] = np.inf
    if not len(owners):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    picked = np.sort(np.argpartition(wait, OFFERED, axis=1)[:, :OFFERED], axis=1)
    return np.take_along_axis(of_chapter, picked, axis=1).ravel(), np.repeat(owners, OFFERED)


def _clicks(
    rows: _Rows,
    owner: NDArray[np.int64],
    package: NDArray[np.int64],
    is_set: NDArray[np.bool_],
    random: np.random.Generator,
) -> pa.Table:
    """What was set was seen and opened; of the rest most was seen, and some of that opened, but not set."""
    seen = is_set | (random.random(len(owner)) < _SEEN)
    opened = is_set | (seen & (random.random(len(owner)) < _OPENED))
    midnight = (rows.day.ordinal - Day.of(1970, 1, 1).ordinal) * 24 * 60 * _MINUTE - _UTC_TO_SHANGHAI
    visit = random.integers(7 * 60, 22 * 60, len(rows.classes.class_id))[owner] * _MINUTE  # a class is dealt with once
    at_view = midnight + visit + random.integers(0, _MINUTE, len(owner))
    at_click = at_view + random.integers(1_000, 10 * _MINUTE, len(owner))
    time = np.append(at_view[seen], at_click[opened])
    order = np.argsort(time, kind="stable")
    chosen = np.append(np.flatnonzero(seen), np.flatnonzero(opened))[order]
    tag = pa.array(["view", "click"]).take(pa.array((np.arange(len(order)) >= seen.sum()).astype(np.int8)[order]))
    names = ("day", "teacher_id", "class_id", "chapter_id", "section_id", "style")
    table = rows.of(owner[chosen], package[chosen], names)
    return table.add_column(0, "log_time", pa.array(time[order])).add_column(4, "tag", tag)


def _study(
    options: Options, books: Textbooks, classes: Classes, homework: Homework, random: np.random.Generator
) -> pa.Table:
    """How each class masters the sections that it was set: one trait behind 20 floats of scales from 1e-4 to 1e6."""
    scales = options.random("study scales")
    scale, shift = 10.0 ** scales.integers(-4, 7, VALUES), scales.normal(0, 3, VALUES)
    sections = books.sections[homework.packages]
    row, place = np.nonzero(sections >= 0)
    pairs = np.unique(np.stack([homework.classes[row], sections[row, place]], axis=1), axis=0)
    owner, section = pairs[:, 0], pairs[:, 1]
    trait = scales.normal(size=len(classes.class_id))[owner] + random.normal(0, 0.5, len(owner))
    values = (trait[:, None] + random.normal(0, 0.3, (len(owner), VALUES)) + shift) * scale
    missing = np.asarray(random.random(values.shape) < _UNMEASURED)
    section_ids = books.section_ids.reshape(2, -1)[classes.printing[owner], section]
    columns = {f"v{place + 1}": pa.array(values[:, place], mask=missing[:, place]) for place in range(VALUES)}
    return pa.table(
        {
            "class_id": classes.class_id[owner],
            "section_id": section_ids,
            "day": pa.repeat(pa.scalar(str(homework.day)), len(owner)),
            **columns,
        }
    )


def _style_counts(books: Textbooks, teachers: Teachers, classes: Classes, homework: Homework) -> pa.Table:
    pairs = np.stack([homework.classes, books.style[homework.packages]], axis=1)
    found, counts = np.unique(pairs, axis=0, return_counts=True)
    return pa.table(
        {
            "day": pa.repeat(pa.scalar(str(homework.day)), len(found)),
            "teacher_id": teachers.teacher_id[classes.teacher[found[:, 0]]],
            "class_id": classes.class_id[found[:, 0]],
            "style": found[:, 1],
            "cnt": counts,
        }
    )


def _printed(texts: tuple[pa.Array, pa.Array], printing: NDArray[np.int64], package: NDArray[np.int64]) -> pa.Array:
    both = pa.concat_arrays(texts)
    return both.take(pa.array(package + printing * len(texts[0])))


def _text(values: NDArray[np.int64]) -> pa.Array:
    return pa.array(values).cast(pa.string())
