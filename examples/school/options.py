"""What can be asked of the generator, and the effects that it can plant."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from pipeline.days import Day
from pipeline.errors import UsageError

EFFECTS = {
    "order": "sections are set one after the other, up or down the chapter: the order of the last days tells which",
    "last_year": "classes of one county, edition and grade prefer the same styles this year and last year",
    "repetition": "each chapter's favourite section and style are the same every year; without it last year's rows "
    "follow popularities of their own, and no order",
    "county": "new teachers prefer their county's styles; others have a habit of their own in any case",
    "style": "each chapter has a style of its own that is set more often",
    "taste": "users click on their favourite categories and label of ads",
    "behaviour": "users who just called the shop's API paths click more",
    "together": "teachers of a hidden kind set the same two sections of each chapter, one after the other or as one "
    "package: which they are, only what others of the kind set tells",
    "exposures": "what came of a user's last exposures of earlier days: clicks at a place make another click there "
    "more likely, exposures that were not clicked less",
    "turns": "a user who clicked the last ad of earlier days and not the one before clicks more, one who did the "
    "opposite less: what the order of the last two tells",
    "watching": "users look longer at ads of up to four categories, clicked or not, and click them more",
}
USUAL = frozenset(list(EFFECTS)[:7])
"""Those that are planted where nothing is asked for; the others came later, and rows are what they were."""

_LEAST = {"days": 1, "teachers": 1, "last_year_classes": 1, "users": 1, "ads": 30, "impressions": 0, "seed": 0}


@dataclass(frozen=True)
class Options:
    """Sizes, range and law of what is generated.

    Args:
        first: first day; the days one year earlier, from 21 days before to 7 days after, are made too.
        days: number of days.
        teachers: teachers of this year; more than twice as many classes.
        last_year_classes: classes of each county, edition and grade that had homework last year.
        users: users of the ads job.
        ads: advertisements.
        impressions: a day.
        click_rate: mean of the clicks.
        effects: names of ``EFFECTS``.
        dirty: share of the rows of the logs that are damaged.
        outages: days without any row, marked complete all the same.
        seed: of everything; equal options give equal rows.
    """

    first: Day
    days: int = 10
    teachers: int = 300
    last_year_classes: int = 4
    users: int = 1000
    ads: int = 400
    impressions: int = 2000
    click_rate: float = 0.04
    effects: frozenset[str] = USUAL
    dirty: float = 0.01
    outages: frozenset[Day] = frozenset()
    seed: int = 1

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise UsageError(f"{name} is {getattr(self, name)}; the least is {least}")
        for name in ("dirty", "click_rate"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}; it is a share, from 0 to less than 1")
        if self.click_rate == 0:
            raise UsageError("click_rate is 0; without clicks there is nothing to learn")
        unknown = sorted(self.effects - set(EFFECTS))
        if unknown:
            raise UsageError(f"no effect is called {', '.join(unknown)}; there are {', '.join(EFFECTS)}")

    @property
    def last(self) -> Day:
        return self.first.plus(self.days - 1)

    @property
    def this_year(self) -> list[Day]:
        return list(self.first.through(self.last))

    @property
    def last_year(self) -> list[Day]:
        """The window that last year's features look at; days that belong to this year's range are not in it."""
        end = min(self.last.year_before().plus(7), self.first.previous())
        return list(self.first.year_before().plus(-21).through(end))

    def random(self, name: str, *numbers: int) -> np.random.Generator:
        """The generator of one purpose: what is drawn for it does not depend on what else is drawn."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode()), *numbers])
