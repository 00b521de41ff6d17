"""The ground truth of the generated school: textbooks, teachers, classes, laws."""

from __future__ import annotations

import numpy as np
import pytest

from examples.school.homework import Cohort
from examples.school.options import EFFECTS, Options
from examples.school.textbook import (
    CHAPTERS,
    MAIN,
    REVIEW,
    SECTIONS,
    SLOTS,
    base_chapter_map,
    candidates,
    print_textbooks,
    single,
)
from examples.school.world import GROUPS, Law, World, make_world, teacher_table
from pipeline.days import Day
from pipeline.errors import UsageError

FIRST = Day.of(2024, 2, 26)
ALL = frozenset(EFFECTS)


def options(*effects: str, **sizes: int) -> Options:
    return Options(FIRST, effects=frozenset(effects), **{"teachers": 200, **sizes})  # type: ignore[arg-type]


def chosen(made: Options, world: World, name: str) -> np.ndarray:
    """Columns class, chapter, slot of all homework of a cohort, in order of days."""
    classes, law = world.this_year if name == "this year" else world.last_year
    cohort = Cohort(made, name, classes, law)
    days = made.this_year if name == "this year" else made.last_year
    homework = [cohort.set_homework(day) for day in days]
    owner = np.concatenate([each.classes for each in homework])
    package = np.concatenate([each.packages for each in homework])
    return np.stack([owner, package // SLOTS, package % SLOTS], axis=1)


def singles(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Class, chapter, section and main style of the packages of one section in a main style."""
    every = np.array([[single(np.array(s), np.array(k)) for k in range(MAIN)] for s in range(SECTIONS)])
    place = np.full(SLOTS, -1)
    place[every.ravel()] = np.arange(SECTIONS * MAIN)
    kept = rows[place[rows[:, 2]] >= 0]
    return kept[:, 0], kept[:, 1], place[kept[:, 2]] // MAIN, place[kept[:, 2]] % MAIN


def test_last_years_window_keeps_clear_of_this_year() -> None:
    window = options().last_year
    assert (str(window[0]), str(window[-1])) == ("2023-02-05", "2023-03-13")
    long = Options(FIRST, days=400)
    assert long.last_year[-1] == FIRST.previous()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"teachers": 0}, "teachers is 0; the least is 1"),
        ({"dirty": 1.0}, "dirty is 1.0; it is a share"),
        ({"click_rate": 0.0}, "click_rate is 0"),
        ({"effects": frozenset({"orders"})}, "no effect is called orders; there are order, last_year"),
    ],
)
def test_wrong_options_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Options(FIRST, **wrong)  # type: ignore[arg-type]


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


def test_new_teachers_arrive_on_the_days_asked_for() -> None:
    made = options()
    world = make_world(made)
    teachers, classes = world.teachers, world.this_year[0]
    new = teachers.register[teachers.new]
    assert set(np.unique(new)) == {day.ordinal for day in made.this_year}
    assert (teachers.register[~teachers.new] < made.last_year[0].ordinal).all()
    of_new = teachers.new[classes.teacher]
    assert (classes.start[of_new] == teachers.register[classes.teacher[of_new]]).all()
    assert (classes.start[~of_new] > 0).any(), "old teachers with a new class"
    assert teacher_table(teachers).column("register_day").to_pylist()[0] == str(Day(int(teachers.register[0])))


def test_last_years_classes_cover_every_group_and_keep_their_ids() -> None:
    world = make_world(options())
    here, then = world.this_year[0], world.last_year[0]
    assert (np.bincount(then.group) == options().last_year_classes).all()
    assert set(here.group) <= set(then.group)
    assert not world.teachers.new[then.teacher].any()
    assert (world.teachers.county[then.teacher] == then.county).all()
    _, now, before = np.intersect1d(here.class_id, then.class_id, return_indices=True)
    assert len(now) > 10
    assert (here.grade[now] == then.grade[before] + 1).all()
    assert (here.edition[now] == then.edition[before]).all()
    assert len(np.unique(then.class_id)) == len(then.class_id)


def test_groups_are_county_edition_and_grade() -> None:
    then = make_world(options()).last_year[0]
    keys = np.unique(np.stack([then.county, then.edition, then.grade], axis=1), axis=0)
    assert len(keys) == len(np.unique(then.group)) == (then.county.max() + 1) * GROUPS


def favourites(law: Law, classes_group: np.ndarray, group: int) -> set[int]:
    return set(law.styles[classes_group == group].mean(axis=0).argsort()[-2:].tolist())


@pytest.mark.parametrize("effects", [(), ("last_year",)])
def test_groups_prefer_the_same_styles_in_both_years_only_with_the_effect(effects: tuple[str, ...]) -> None:
    made = options(*effects, teachers=600)
    world = make_world(made)
    styles = {}
    for name, cohort in (("this year", world.this_year), ("last year", world.last_year)):
        owner, _, _, style = singles(chosen(made, world, name))
        table = np.zeros((cohort[0].group.max() + 1, MAIN))
        np.add.at(table, (cohort[0].group[owner], style), 1)
        styles[name] = table
    both = min(len(table) for table in styles.values())
    now, then = styles["this year"][:both], styles["last year"][:both]
    busy = now.sum(axis=1) >= 10
    agrees = (now.argmax(axis=1) == then.argmax(axis=1))[busy].mean()
    assert (agrees > 0.7) if effects else (agrees < 0.3)


@pytest.mark.parametrize("effects", [(), ("repetition",)])
def test_chapters_repeat_their_section_only_with_the_effect(effects: tuple[str, ...]) -> None:
    made = options(*effects)
    world = make_world(made)
    share = {}
    for name, (_, law) in (("this year", world.this_year), ("last year", world.last_year)):
        _, chapter, section, _ = singles(chosen(made, world, name))
        share[name] = (section == law.repeated_section[chapter]).mean()
        assert (law.repeated_section == world.this_year[1].repeated_section).all()
    for value in share.values():
        assert value == pytest.approx(0.6 + 0.4 / SECTIONS if effects else 1 / SECTIONS, abs=0.05)


@pytest.mark.parametrize("effects", [(), ("order",)])
def test_the_next_section_follows_from_the_last_two_only_with_the_effect(effects: tuple[str, ...]) -> None:
    """Two sections in a row one apart: the third goes on in the same direction."""
    made = options(*effects, days=20)
    owner, chapter, section, _ = singles(chosen(made, make_world(made), "this year"))
    order = np.argsort(owner, kind="stable")
    owner, chapter, section = owner[order], chapter[order], section[order]
    kept = np.append(True, (np.diff(owner) != 0) | (np.diff(section) != 0) | (np.diff(chapter) != 0))
    owner, chapter, section = owner[kept], chapter[kept], section[kept]
    same = (owner[2:] == owner[:-2]) & (chapter[2:] == chapter[:-2]) & (chapter[1:-1] == chapter[:-2])
    step = section[1:-1] - section[:-2]
    goes_on = section[1:-1] + step
    asked = same & (abs(step) == 1) & (goes_on >= 0) & (goes_on < SECTIONS)
    share = (section[2:] == goes_on)[asked].mean()
    assert asked.sum() > 100
    assert (share > 0.6) if effects else (share < 0.35)


def test_new_teachers_share_their_countys_style() -> None:
    made = options("county", teachers=400)
    world = make_world(made)
    classes, law = world.this_year
    raised = law.styles - make_world(options(teachers=400)).this_year[1].styles.min(axis=0)
    new = world.teachers.new[classes.teacher]
    best = raised.argmax(axis=1)
    for county in range(5):
        of_county = classes.county == county
        assert len(set(best[of_county & new].tolist())) <= 1
        assert len(set(best[of_county & ~new].tolist())) > 1


def test_the_world_depends_on_the_seed_alone() -> None:
    one, same, other = (make_world(Options(FIRST, teachers=50, seed=seed)) for seed in (1, 1, 2))
    assert (one.this_year[1].styles == same.this_year[1].styles).all()
    assert (one.teachers.teacher_id == same.teachers.teacher_id).all()
    assert (one.teachers.teacher_id != other.teachers.teacher_id).any()
