"""What the classes of the generated school set: each effect shows only where it is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from examples.school.homework import Cohort
from examples.school.options import Options
from examples.school.textbook import (
    MAIN,
    PAIR,
    SECTIONS,
    SLOTS,
    WHOLE,
    single,
)
from examples.school.world import World, make_world
from tests.unit.examples.school.small_school import options


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


@pytest.mark.parametrize("effects", [(), ("together",)])
def test_teachers_of_a_kind_set_the_same_two_sections_only_with_the_effect(effects: tuple[str, ...]) -> None:
    made = options(*effects)
    world = make_world(made)
    for name, (classes, law) in (("this year", world.this_year), ("last year", world.last_year)):
        rows = chosen(made, world, name)
        pairs = rows[(rows[:, 2] >= PAIR) & (rows[:, 2] < WHOLE)]
        assert len(pairs) / len(rows) == pytest.approx(0.9 * 0.5 / 1.3 + 0.01 if effects else 0.04, abs=0.03)
        owner, chapter, section, _ = singles(rows)
        kinds = law.kinds if law.kinds is not None else np.zeros(len(classes.group), dtype=np.int64)
        first = law.together[chapter, kinds[owner]]
        share = ((section == first) | (section == first + 1)).mean()
        assert (share > 0.8) if effects else (share < 0.5)
    if effects:  # a teacher is of the same kind in both years, and a chapter's pairs differ from the next one's
        of_teacher = [dict(zip(c.teacher.tolist(), law.kinds.tolist(), strict=True)) for c, law in
                      (world.this_year, world.last_year)]  # fmt: skip
        both = of_teacher[0].keys() & of_teacher[1].keys()
        assert len(both) > 50
        assert all(of_teacher[0][each] == of_teacher[1][each] for each in both)
        assert len({tuple(each) for each in world.this_year[1].together.tolist()}) > 20


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
