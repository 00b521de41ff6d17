"""The ground truth of the generated school: teachers, classes, groups."""

from __future__ import annotations

import numpy as np

from examples.school.options import Options
from examples.school.world import GROUPS, make_world, teacher_table
from pipeline.days import Day
from tests.unit.examples.school.small_school import FIRST, options


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


def test_the_world_depends_on_the_seed_alone() -> None:
    one, same, other = (make_world(Options(FIRST, teachers=50, seed=seed)) for seed in (1, 1, 2))
    assert (one.this_year[1].styles == same.this_year[1].styles).all()
    assert (one.teachers.teacher_id == same.teachers.teacher_id).all()
    assert (one.teachers.teacher_id != other.teachers.teacher_id).any()
