from __future__ import annotations

import pytest

from pipeline.errors import DataError
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School, pair


def test_counters_are_those_of_earlier_days(school: School) -> None:
    school.lived(DAY.plus(-2))
    school.lived(DAY.plus(-1))
    built = school.built(school.rows(DAY))
    keys = [built.keys["item.key"][i] for i in built.arrays.pair_item]
    assert keys[:3] == ["12|1", "11|1", "11,12|2"]
    # Each day teacher 501 sets 11|1 and 12|3, teacher 502 the package 11,12,21|1.
    assert pair(built, "taken")[:3] == [0, 2, 0]
    assert pair(built, "own")[:3] == [0, 0.75, 0]  # 0.5 of yesterday's and 0.25 of the day before's
    assert pair(built, "teacher_taken") == [4, 4, 4, 2, 2, 2]
    assert pair(built, "rank") == [0, 1, 2, 0, 1, 2]


def test_a_day_of_which_no_request_is_left_has_arrays_without_rows(school: School) -> None:
    school.lived(DAY.plus(-1))
    nothing = lessons.table("homework", (503, 9003, 6, [20], [202], 1, 0))  # without a base section
    built = school.built(school.rows(DAY, homework=nothing))
    assert (built.arrays.offsets.tolist(), len(built.arrays.request_ids), built.empty_days.tolist()) == ([0], 0, [])


def test_the_state_of_the_day_itself_is_refused(school: School) -> None:
    school.lived(DAY)
    with pytest.raises(DataError, match="only earlier days"):
        school.built(school.rows(DAY))
