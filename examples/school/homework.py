"""What each class sets on each day, following the law of its cohort; one call a day, in day order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from examples.school.options import Options
from examples.school.textbook import CHAPTERS, MAIN, PAIR, RARE, REVIEW, SECTIONS, SLOTS, WHOLE, first_chapter, single
from examples.school.world import Classes, Law
from pipeline.days import Day

_RATE = (0.6, 0.12)  # share of the classes that set homework, on a weekday and at the weekend
_FOLLOWS = 0.85  # of the homework that goes on where the last one ended
_SECOND = 0.35  # of the homework that has a second package
_PAIR, _WHOLE, _REVIEW, _RARE = 0.05, 0.03, 0.02, 0.04  # of the packages that are not of one section in a main style
_TOGETHER, _BOTH = 0.9, 0.5  # of the homework that is of sections set together, and of it that is of both at once
_TERM_DAYS = 165


@dataclass(frozen=True)
class Homework:
    """Packages set on one day, by class: ``classes`` (index, ascending) and ``packages`` (chapter · SLOTS + slot)."""

    day: Day
    term: int
    classes: NDArray[np.int64]
    packages: NDArray[np.int64]


def term_of(day: Day) -> int:
    """2 from February to July, 1 from August on."""
    return 2 if 2 <= day.date.month <= 7 else 1


class Cohort:
    """The classes of one school year, and how far each is in its book.

    Args:
        name: tells the cohorts' random numbers apart.
    """

    def __init__(self, options: Options, name: str, classes: Classes, law: Law) -> None:
        self.classes = classes
        self._options = options
        self._name = name
        self._law = law
        self._term = 0
        self._chapter = np.zeros(len(classes.class_id), dtype=np.int64)  # in the book
        self._step = np.zeros(len(classes.class_id), dtype=np.int64)  # sections of the chapter already set
        self._up = np.zeros(len(classes.class_id), dtype=bool)

    def set_homework(self, day: Day) -> Homework:
        """The homework of ``day``, which must be after the day asked for before."""
        random = self._options.random(self._name, day.ordinal)
        term = term_of(day)
        if term != self._term:
            self._open_books(day, term, random)
        weekend = int(day.weekday >= 5)
        setting = (self.classes.start <= day.ordinal) & (random.random(len(self._chapter)) < _RATE[weekend])
        here = np.flatnonzero(setting)
        book = first_chapter(self.classes.edition[here], self.classes.grade[here], term)
        chapter = book + self._chapter[here]
        section = self._repeat(self._next_section(here, random), self._law.repeated_section[chapter], random)
        both, section = self._together(here, chapter, section, day)
        main = self._repeat(self._choose_style(here, chapter, random), self._law.repeated_style[chapter], random)
        rare = np.where(random.random(len(here)) < _RARE, MAIN + random.integers(0, RARE, len(here)), main)
        slot = self._bundle(single(section, rare), section, chapter, random)
        slot = np.where(both, PAIR + section * 3 + main % 3, slot)
        other = single(section, self._choose_style(here, chapter, random))
        second = (random.random(len(here)) < _SECOND) & (other != slot)
        classes = np.concatenate([here, here[second]])
        packages = np.concatenate([chapter * SLOTS + slot, (chapter * SLOTS + other)[second]])
        order = np.argsort(classes, kind="stable")
        return Homework(day, term, classes[order], packages[order])

    def _open_books(self, day: Day, term: int, random: np.random.Generator) -> None:
        """Puts each class where its county's pace has it on the day of its first homework of the term."""
        begins = Day.of(day.date.year, 2, 10) if term == 2 else Day.of(day.date.year - (day.date.month < 8), 8, 28)
        start = np.maximum(self.classes.start, day.ordinal)
        pace = np.clip((start - begins.ordinal) / _TERM_DAYS, 0, 1) * CHAPTERS
        county = self._options.random("pace").normal(0, 0.5, int(self.classes.county.max()) + 1)
        position = pace + county[self.classes.county] + random.normal(0, 0.3, len(start))
        position = np.clip(position, 0, CHAPTERS - 0.01)
        self._chapter = position.astype(np.int64)
        self._step = ((position - self._chapter) * SECTIONS).astype(np.int64)
        self._up = random.random(len(start)) < 0.5
        self._term = term

    def _next_section(self, here: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
        """The section in the chapter that each class sets, after which it goes on; in the next chapter at the end."""
        step = self._step[here]
        walked = np.where(self._up[here], step, SECTIONS - 1 - step)
        any_section = random.integers(0, SECTIONS, len(here))
        follows = random.random(len(here)) < _FOLLOWS
        section = np.where(follows & self._law.ordered, walked, any_section)
        step = step + follows
        finished = step == SECTIONS
        self._step[here] = np.where(finished, 0, step)
        self._chapter[here] = (self._chapter[here] + finished) % CHAPTERS
        self._up[here] = np.where(finished, random.random(len(here)) < 0.5, self._up[here])
        return section

    def _together(
        self, here: NDArray[np.int64], chapter: NDArray[np.int64], section: NDArray[np.int64], day: Day
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Where a package of two sections that belong together is set; the section, or the first of the two."""
        if self._law.kinds is None:
            return np.zeros(len(here), dtype=bool), section
        random = self._options.random(f"{self._name} together", day.ordinal)
        first = self._law.together[chapter, self._law.kinds[here]]
        joined = random.random(len(here)) < _TOGETHER
        both = joined & (random.random(len(here)) < _BOTH)
        one = first + (random.random(len(here)) < 0.5)
        return both, np.where(both, first, np.where(joined, one, section))

    def _choose_style(
        self, here: NDArray[np.int64], chapter: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """A main style by the law's log-odds (the largest after adding Gumbel noise)."""
        logits = self._law.styles[here] + self._law.chapters[chapter]
        return (logits + random.gumbel(size=logits.shape)).argmax(axis=1)

    def _bundle(
        self,
        slot: NDArray[np.int64],
        section: NDArray[np.int64],
        chapter: NDArray[np.int64],
        random: np.random.Generator,
    ) -> NDArray[np.int64]:
        """Puts packages of several sections in the place of some of those of one."""
        draw = random.random(len(slot))
        kind = random.integers(0, 6, len(slot))
        slot = np.where(draw < _PAIR, PAIR + np.minimum(section, SECTIONS - 2) * 3 + kind % 3, slot)
        slot = np.where((draw >= _PAIR) & (draw < _PAIR + _WHOLE), WHOLE + kind % 2, slot)
        review = (draw >= _PAIR + _WHOLE) & (draw < _PAIR + _WHOLE + _REVIEW)
        return np.where(review & (chapter % CHAPTERS < CHAPTERS - 1), REVIEW + kind % 2, slot)

    def _repeat(
        self, chosen: NDArray[np.int64], favourite: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Puts what every year's classes choose in the place of the law's share of the choices."""
        return np.where(random.random(len(chosen)) < self._law.repeated, favourite, chosen)
