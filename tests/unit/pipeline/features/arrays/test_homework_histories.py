"""What homework of earlier days says: windows, style counts, who has none."""

from __future__ import annotations

import numpy as np

from pipeline.features.arrays.homework_histories import style_counts
from pipeline.features.ids.fingerprints import PADDING
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School, cell


def test_each_day_of_a_style_counts_and_those_without_a_column_are_summed_up() -> None:
    windows = np.array([[[0, 2], [0, -2], [-2, -2]], [[-1, 1], [3, -2], [7, 1]]])
    table, beyond = style_counts(windows, 3)
    assert table.tolist() == [[2, 0, 1], [0, 2, 0]]
    assert (beyond, table.dtype) == (3, np.float32)  # the unknown one, the fourth and the eighth style


def test_no_requests_have_no_counts() -> None:
    table, beyond = style_counts(np.zeros((0, 3, 2)), 4)
    assert (table.shape, beyond) == ((0, 4), 0)


def test_styles_of_the_window_are_counted_and_those_of_its_lead_are_not(school: School) -> None:
    homework = lessons.table("homework", (501, 9001, 5, [10], [101], 1, 7), (501, 9001, 5, [10], [102], 3, None))
    school.lived(DAY.plus(-4), homework=homework)  # in the lead
    school.lived(DAY.plus(-3), homework=homework)
    school.lived(DAY.plus(-1), homework=lessons.table("homework", (501, 9001, 5, [10], [101], 3, 7)))
    built = school.built(school.rows(DAY))
    counts = cell(built.arrays.request_dense, built.arrays.layout.request_dense, "style_counts")
    assert school.raw("style", [2, 3, 4]) == [1, 3, 2]  # 2 is in the candidate table alone
    assert counts.tolist() == [[1, 2, 0], [0, 0, 0]]
    assert built.counts["style_counts_without_column"] == 0
    assert built.empty_days.tolist() == [1, 3]


def test_a_style_that_came_after_those_with_a_column_is_told_by_its_number(school: School) -> None:
    styles = [(501, 9001, 5, [10], [101], style, 7) for style in (1, 3, 2, 8)]
    school.rows(DAY.plus(-2))  # 1, 3 and 2 come first
    school.lived(DAY.plus(-1), homework=lessons.table("homework", *styles))
    built = school.built(school.rows(DAY))
    counts = cell(built.arrays.request_dense, built.arrays.layout.request_dense, "style_counts")
    assert counts[0].tolist() == [1, 1, 1]
    assert built.counts["style_counts_without_column"] == 1


def test_where_nobody_says_when_users_registered_owners_without_history_are_one_group() -> None:
    declared = lessons.config().model_dump(by_alias=True, mode="json")
    profile = {"table": "teachers", "key": "teacher"}
    school = School(lessons.config(ranking={**declared["ranking"], "profile": profile}))
    school.lived(DAY.plus(-1), homework=lessons.table("homework", (502, 9002, 5, [10], [102], 2, 7)))
    built = school.built(school.rows(DAY))
    assert {name: chosen.tolist() for name, chosen in built.groups.items()} == {
        "no_history": [True, False], "known": [False, True]
    }  # fmt: skip


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


def test_days_and_their_ids_know_how_old_they_are_and_a_day_is_a_session() -> None:
    """Of class 501 sections four, three and one days ago; the first of these days is before the window of three."""
    school = School(lessons.of_days())
    sets = {4: [[101, 102]], 3: [[103]], 1: [[101], [102], [103]]}
    for back, sections in sorted(sets.items(), reverse=True):
        rows = [(501, 9001, 5, [10], each, 1, 7) for each in sections]
        school.lived(DAY.plus(-back), homework=lessons.table("homework", *rows))
    arrays = school.built(school.rows(DAY)).arrays
    nan = np.nan
    styles = cell(arrays.request_dense, arrays.layout.request_dense, "style_ages")
    np.testing.assert_array_equal(styles, [[nan, 4, 3, nan, 1], [nan] * 5])  # a lead of two days, a window of three
    visits = cell(arrays.request_ids, arrays.layout.request_ids, "visits")
    known = [[school.raw("section", [i])[0] if i else None for i in day] for day in visits[0].tolist()]
    base = {each: school.raw("section", [each])[0] for each in range(2, 5)}
    assert len(set(base.values())) == 3
    assert known[0][1] is None
    assert None not in known[1]
    assert known[0][0] not in known[1], "the day's first ids, as bags keep them"
    assert not visits[1].any()
    ages = cell(arrays.request_dense, arrays.layout.request_dense, "visit_ages")
    np.testing.assert_array_equal(ages, [[3, nan, 1, 1], [nan] * 4])
    longer = School(lessons.of_days(least=2))
    for back, sections in sorted(sets.items(), reverse=True):
        rows = [(501, 9001, 5, [10], each, 1, 7) for each in sections]
        longer.lived(DAY.plus(-back), homework=lessons.table("homework", *rows))
    arrays = longer.built(longer.rows(DAY)).arrays
    ages = cell(arrays.request_dense, arrays.layout.request_dense, "visit_ages")
    np.testing.assert_array_equal(ages, [[1, 1, nan, nan], [nan] * 4])
