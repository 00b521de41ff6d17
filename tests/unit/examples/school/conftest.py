"""The homework tables of a Tuesday of the generated school."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pytest

from examples.school.homework import Cohort
from examples.school.homework_tables import homework_day
from examples.school.options import Options
from examples.school.textbook import print_textbooks
from examples.school.world import make_world
from pipeline.days import Day

TUESDAY = Day.of(2024, 2, 27)


@pytest.fixture(scope="module")
def tables() -> Mapping[str, pa.Table]:
    made = Options(TUESDAY, teachers=60)
    world = make_world(made)
    homework = Cohort(made, "this year", *world.this_year).set_homework(TUESDAY)
    return homework_day(made, "this year", print_textbooks(made), world.teachers, world.this_year[0], homework)
