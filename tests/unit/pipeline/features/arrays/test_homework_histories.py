"""Histories of a request for homework: the window, last year's, and who has none."""

from __future__ import annotations

import numpy as np

from pipeline.features.ids.codes import PADDING
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School, cell


def test_the_window_holds_earlier_days_oldest_first_with_gaps(school: School) -> None:
    school.lived(DAY.plus(-4))
    school.lived(DAY.plus(-2), homework=lessons.table("homework", (501, 9001, 5, [10], [102], 2, 7)))
    built = school.built(school.rows(DAY))
    windows = cell(built.arrays.request_ids, built.arrays.layout.request_ids, "set_sections")
    assert windows.shape[:2] == (2, 5)  # two days of lead and a window of three
    mine = [[school.raw("section", [i])[0] for i in each if i] for each in windows[0].tolist()]
    assert mine == [[], [11, 12], [], [12], []]
    assert built.empty_days.tolist() == [2, 3]
    counts = cell(built.arrays.request_dense, built.arrays.layout.request_dense, "style_counts")
    styles = school.raw("style", [2, 3, 4])
    assert counts[0].tolist() == [1.0 if style == 2 else 0.0 for style in styles]


def test_a_history_and_its_stand_in_have_one_width(school: School) -> None:
    school.lived(DAY.plus(-1))
    rows = school.rows(DAY)
    last = np.full((rows.requests.rows, 3, 2), PADDING)
    last[1, 0, 0] = school.raw("section", [2])[0]
    built = school.built(rows, {"sections": last})
    places = built.arrays.layout.request_ids
    assert places["set_sections"].shape == (5, 4)
    assert places["last_sections"].shape == (3, 4)
    assert cell(built.arrays.request_ids, places, "last_sections")[1, 0].tolist() == [2, 0, 0, 0]


def test_who_has_no_history(school: School) -> None:
    school.lived(DAY.plus(-1), homework=lessons.table("homework", (502, 9002, 5, [10], [102], 2, 7)))
    teachers = lessons.table(
        "teachers", (501, 70, DAY.plus(-3).date, 1, None), (502, 70, DAY.plus(-4).date, 0, None)
    )
    homework = lessons.table(
        "homework", (501, 1, 5, [10], [101], 1, 7), (502, 9002, 5, [10], [101], 1, 7), (502, 2, 5, [10], [101], 1, 7)
    )
    built = school.built(school.rows(DAY, homework=homework, teachers=teachers))
    assert {name: chosen.tolist() for name, chosen in built.groups.items()} == {
        "new_user": [True, False, False], "new_owner": [False, False, True], "known": [False, True, False]
    }  # fmt: skip
