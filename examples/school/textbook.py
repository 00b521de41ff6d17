"""The textbooks: chapters, sections and the packages that exist for them. Pure: drawn once from the seed.

Everything is indexed from 0 here; the ids that the tables show are large and gappy, like real ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from examples.school.options import Options

EDITIONS = np.array([17, 24, 31])
GRADES = 6
TERMS = 2
CHAPTERS = 12
SECTIONS = 5
_PLAIN = [1, 2, 3, 4, 7, 11, 12, 27, 34, 41, 48, 56, 63, 71, 88, 97, 104, 120, 133, 151, 188, 250]
_COMPOSED = [20100, 30010, 40111, 10001, 20110, 40011]
STYLES = np.array([*_PLAIN[:7], *_COMPOSED[:3], *_PLAIN[7:], *_COMPOSED[3:]])
"""28 ids, six of them composed of the kind, 0, and the flags basic, oral and applied."""

MAIN = 10
"""The first styles exist for every section; two of the others do for each chapter."""

RARE = 2
SINGLES = SECTIONS * (MAIN + RARE)
PAIRS = (SECTIONS - 1) * 3
SLOTS = SINGLES + PAIRS + 2 + 2
"""Packages of a chapter: of one section, of two neighbours, of all, and across the end to the next chapter."""

PAIR, WHOLE, REVIEW = SINGLES, SINGLES + PAIRS, SINGLES + PAIRS + 2
NO_BASE = -1


def single(section: NDArray[np.int64], style: NDArray[np.int64]) -> NDArray[np.int64]:
    """Slot of the package of one section in one of its styles (below ``MAIN``, or one of the rare two after)."""
    return section * (MAIN + RARE) + style


@dataclass(frozen=True)
class Textbooks:
    """All books, in two printings: the new one uses the base ids, the old one ids of its own.

    Attributes:
        chapter_ids: int64 ``[2, chapters]``, by printing.
        section_ids: int64 ``[2, chapters, SECTIONS]``.
        orphans: int64 ``[chapters]``, a section of each chapter that has no base section.
        exists: bool ``[packages]``; package = chapter · SLOTS + slot.
        chapter_text: by printing, the ids of the package's chapters joined by commas, ``[packages]``.
        section_text: likewise of its sections.
        sections: int64 ``[packages, SECTIONS]``: chapter · SECTIONS + number of each section, -1 after the last.
        style: int64 ``[packages]``, ids.
        reflect: int64 ``[packages]``, ids; 0 = missing.
        rank: int64 ``[packages]``, from 1 in each chapter.
    """

    chapter_ids: NDArray[np.int64]
    section_ids: NDArray[np.int64]
    orphans: NDArray[np.int64]
    exists: NDArray[np.bool_]
    chapter_text: tuple[pa.Array, pa.Array]
    section_text: tuple[pa.Array, pa.Array]
    sections: NDArray[np.int64]
    style: NDArray[np.int64]
    reflect: NDArray[np.int64]
    rank: NDArray[np.int64]

    @property
    def chapters(self) -> int:
        return self.chapter_ids.shape[1]


def first_chapter(edition: NDArray[np.int64], grade: NDArray[np.int64], term: int) -> NDArray[np.int64]:
    """Index of the first chapter of the book of an edition (index), a grade and a term (both from 1)."""
    return ((edition * GRADES + grade - 1) * TERMS + term - 1) * CHAPTERS


def print_textbooks(options: Options) -> Textbooks:
    """Draws the ids, styles and ranks of all packages."""
    random = options.random("textbooks")
    chapters = len(EDITIONS) * GRADES * TERMS * CHAPTERS
    chapter_ids = _gappy(random, 54_377, 99_000, 2 * chapters).reshape(2, chapters)
    drawn = _gappy(random, 100_417, 605_659, (2 * SECTIONS + 1) * chapters)
    section_ids = drawn[: 2 * SECTIONS * chapters].reshape(2, chapters, SECTIONS)
    orphans = drawn[2 * SECTIONS * chapters :]

    chapter = np.repeat(np.arange(chapters), SLOTS)
    sections = np.full((chapters, SLOTS, SECTIONS), -1)
    number = np.arange(SECTIONS)
    sections[:, :SINGLES, 0] = np.repeat(number, MAIN + RARE)
    sections[:, PAIR:WHOLE, 0] = np.repeat(number[:-1], 3)
    sections[:, PAIR:WHOLE, 1] = np.repeat(number[1:], 3)
    sections[:, WHOLE:REVIEW] = number
    sections[:, REVIEW:, 0] = SECTIONS - 1
    sections[:, REVIEW:, 1] = SECTIONS  # the first section of the next chapter
    before = SECTIONS * np.arange(chapters)[:, None, None]
    members = np.where(sections < 0, -1, sections + before).reshape(-1, SECTIONS)
    slot = np.tile(np.arange(SLOTS), chapters)
    exists = (slot < REVIEW) | (chapter % CHAPTERS < CHAPTERS - 1)
    members[~exists] = -1

    style = np.empty((chapters, SLOTS), dtype=np.int64)
    rare = np.argsort(random.random((chapters, len(STYLES) - MAIN)), axis=1)[:, :RARE] + MAIN
    own = np.concatenate([np.broadcast_to(np.arange(MAIN), (chapters, MAIN)), rare], axis=1)
    style[:, :SINGLES] = np.tile(STYLES[own], (1, SECTIONS))
    style[:, PAIR:WHOLE] = np.tile(STYLES[[0, 1, 2]], SECTIONS - 1)
    style[:, WHOLE:REVIEW] = STYLES[[1, 3]]
    style[:, REVIEW:] = STYLES[[2, 3]]

    packages = chapters * SLOTS
    reflect_ids = np.append(0, _gappy(random, 1_003, 260_000, 12_000))
    reflect = np.where(random.random(packages) < 0.4, 0, reflect_ids[random.integers(1, 12_001, packages)])
    rank = np.argsort(np.argsort(random.random((chapters, SLOTS)), axis=1), axis=1).ravel() + 1
    spans = np.full((packages, 2), -1)
    spans[:, 0] = chapter
    spans[slot >= REVIEW, 1] = chapter[slot >= REVIEW] + 1
    spans[~exists] = -1
    return Textbooks(
        chapter_ids=chapter_ids,
        section_ids=section_ids,
        orphans=orphans,
        exists=exists,
        chapter_text=(_joined(chapter_ids[0], spans), _joined(chapter_ids[1], spans)),
        section_text=(_joined(section_ids[0].ravel(), members), _joined(section_ids[1].ravel(), members)),
        sections=members,
        style=style.ravel(),
        reflect=reflect,
        rank=rank,
    )


def candidates(books: Textbooks) -> pa.Table:
    """`homework_candidates`: all packages, by base ids."""
    there = np.flatnonzero(books.exists)
    return pa.table(
        {
            "chapter_id": books.chapter_text[0].take(pa.array(there)),
            "section_id": books.section_text[0].take(pa.array(there)),
            "style": pa.array(books.style[there].astype(str)),
            "reflect_id": pa.array(books.reflect[there].astype(str)),
            "section_rank": books.rank[there],
        }
    )


def base_chapter_map(books: Textbooks) -> pa.Table:
    """`base_chapter_map`: each printing's chapters and sections to the base ones; orphans to no section."""
    base_chapter = np.repeat(books.chapter_ids[0], SECTIONS)
    base_section = books.section_ids[0].ravel()
    old = np.repeat(books.chapter_ids[1], SECTIONS)
    none = np.full(books.chapters, NO_BASE)
    return pa.table(
        {
            "chapter_id": np.concatenate([base_chapter, old, books.chapter_ids[0]]),
            "section_id": np.concatenate([base_section, books.section_ids[1].ravel(), books.orphans]),
            "base_chapter_id": np.concatenate([base_chapter, base_chapter, books.chapter_ids[0]]),
            "base_section_id": np.concatenate([base_section, base_section, none]),
        }
    )


def _gappy(random: np.random.Generator, low: int, high: int, count: int) -> NDArray[np.int64]:
    """Distinct ids of a range, in random order."""
    return random.choice(np.arange(low, high), count, replace=False)


def _joined(ids: NDArray[np.int64], members: NDArray[np.int64]) -> pa.Array:
    """The ids of each row's members (-1: none), joined by commas."""
    there = members >= 0
    offsets = np.append(0, np.cumsum(there.sum(axis=1)))
    texts = pa.array(ids[members[there]].astype(str))
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), texts), ",")
