from __future__ import annotations

import numpy as np

from pipeline.features.arrays.day_events import events_of
from pipeline.features.ids.fingerprints import codes_of, key_of
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School


def test_a_day_of_homework_adds_what_was_set_by_the_codes_of_raw_ids() -> None:
    school = School()
    events = events_of(school.plan, school.rows(DAY))
    # Teacher 501 sets 11|1 and 12|3; teacher 502 one package of two chapters; 503 nothing that has a base section.
    assert events.keys["teacher"].tolist() == [501, 501, 502]
    assert events.keys["package"].tolist() == codes_of(np.array(["11|1", "12|3", "11,12,21|1"], object)).tolist()
    assert events.label.tolist() == [1, 1, 1]
    teacher, class_ = events.history.owner
    assert (teacher.tolist(), class_.tolist()) == ([501, 501, 502], [9001, 9001, 9002])
    sections = events.history.parts["sections"]
    assert (sections.values.tolist(), sections.lengths.tolist()) == ([11, 12, 11, 12, 21], [1, 1, 3])
    assert events.history.parts["styles"].values.tolist() == [1, 3, 1]
    assert len(events.catalogue_keys) == 0, "the candidate table knows more of packages than what was set"


def test_rows_of_one_group_have_one_key() -> None:
    school = School()
    set_by = ((501, 9001, 5), (502, 9002, 5), (503, 9003, 6))
    homework = lessons.table("homework", *((*each, [10], [102], 1, 7) for each in set_by))
    events = events_of(school.plan, school.rows(DAY, homework=homework))
    assert school.plan.request.group_columns == ("user.county", "row.grade")
    assert events.history.groups.tolist() == key_of(np.array([70, 70, 71]), np.array([5, 5, 6])).tolist()
