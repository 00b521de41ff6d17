from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import DataError
from pipeline.features.arrays.feature_codes import column_codes, first_code, owner_codes
from pipeline.features.arrays.kinds import growth_of
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import MISSING
from pipeline.features.plan.plan import Plan
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School


def test_values_that_cannot_be_ids_are_told() -> None:
    plan = Plan(lessons.config())
    assert column_codes(plan, "teacher", np.array([1.0, 5.0]), "row.teacher").tolist() == [1, 5]
    with pytest.raises(DataError, match=r"row.teacher: 1.5 is not an id of an 'int' space"):
        column_codes(plan, "teacher", np.array([1.5]), "row.teacher")


def test_a_list_without_values_has_no_id() -> None:
    assert first_code(Lists.of([[7, 8], [], [9]], np.int64)).tolist() == [7, MISSING, 9]


def test_of_a_package_each_feature_has_the_code_of_its_role() -> None:
    school = School()
    rows, growth = school.rows(DAY), growth_of(school.plan)
    assert growth.item_codes(school.plan.features["style"], rows).tolist() == [1, 3, 1]
    assert growth.item_codes(school.plan.features["sections"], rows).tolist() == [11, 12, 11]
    assert [each.tolist() for each in owner_codes(school.plan, rows.requests)] == [[501, 502], [9001, 9002]]
