"""The textbooks of the generated school: chapters, sections, packages."""

from __future__ import annotations

import numpy as np

from examples.school.textbook import (
    CHAPTERS,
    REVIEW,
    SLOTS,
    base_chapter_map,
    candidates,
    print_textbooks,
)
from tests.unit.examples.school.small_school import options


def test_packages_are_made_of_their_chapters_sections() -> None:
    books = print_textbooks(options())
    section_ids = books.section_ids[0]
    chapter = 4
    at = chapter * SLOTS
    assert books.section_text[0][at].as_py() == str(section_ids[chapter, 0])
    assert books.chapter_text[0][at].as_py() == str(books.chapter_ids[0, chapter])
    review = at + REVIEW
    assert books.section_text[0][review].as_py() == f"{section_ids[chapter, 4]},{section_ids[chapter + 1, 0]}"
    assert books.chapter_text[0][review].as_py() == f"{books.chapter_ids[0, 4]},{books.chapter_ids[0, 5]}"
    last = (CHAPTERS - 1) * SLOTS + REVIEW
    assert not books.exists[last]
    assert books.section_text[0][last].as_py() == ""
    assert books.exists.sum() == len(books.exists) - 2 * books.chapters // CHAPTERS


def test_ids_are_distinct_large_and_gappy_and_ranks_start_at_one() -> None:
    books = print_textbooks(options())
    drawn = np.concatenate([books.section_ids.ravel(), books.orphans])
    assert len(np.unique(drawn)) == len(drawn)
    assert len(np.unique(books.chapter_ids)) == books.chapter_ids.size
    assert books.chapter_ids.min() >= 54_377
    assert drawn.max() <= 605_659
    ranks = np.sort(books.rank.reshape(-1, SLOTS), axis=1)
    assert (ranks == np.arange(1, SLOTS + 1)).all()


def test_candidates_are_unique_packages() -> None:
    table = candidates(print_textbooks(options())).select(["chapter_id", "section_id", "style"])
    assert table.group_by(table.column_names).aggregate([]).num_rows == table.num_rows


def test_every_chapter_and_section_has_one_base() -> None:
    books = print_textbooks(options())
    rows = base_chapter_map(books).to_pylist()
    base = {(row["chapter_id"], row["section_id"]): (row["base_chapter_id"], row["base_section_id"]) for row in rows}
    assert len(base) == len(rows)
    new, old = books.chapter_ids[:, 3]
    assert base[old, books.section_ids[1, 3, 2]] == (new, books.section_ids[0, 3, 2])
    assert base[new, books.section_ids[0, 3, 2]] == (new, books.section_ids[0, 3, 2])
    assert base[new, books.orphans[3]] == (new, -1)
