from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.errors import DataError
from pipeline.features.arrays.assemble import Built, build
from pipeline.features.arrays.look_up import Indices
from pipeline.features.arrays.pool import seen_pool
from pipeline.features.ids.codes import PADDING
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School, cell


def pair(built: Built, name: str) -> list[Any]:
    return np.asarray(cell(built.arrays.pair_dense, built.arrays.layout.pair_dense, name)).squeeze(-1).tolist()


@pytest.fixture
def school() -> School:
    return School()


def test_candidates_by_rank_with_labels_and_what_was_taken(school: School) -> None:
    built = school.built(school.rows(DAY))
    arrays = built.arrays
    # Chapter 1 has 12|1, 11|1, 11,12|2 by rank (12|3 is the fourth and cut), chapter 2 has 21|1; 12|1 and 21|1 tie.
    keys = [built.keys["item.key"][i] for i in arrays.pair_item]
    assert keys == ["12|1", "11|1", "11,12|2", "12|1", "21|1", "11|1"]
    assert arrays.offsets.tolist() == [0, 3, 6]
    assert arrays.label.tolist() == [0, 1, -1, -1, -1, -1]
    assert arrays.weight.tolist() == [1.5, 1.0]
    assert school.raw("teacher", arrays.user) == [501, 502]
    order = np.argsort(built.key_rank)
    assert built.keys["item.key"][order].tolist() == sorted(built.keys["item.key"])


def test_request_features(school: School) -> None:
    rows = school.rows(DAY)
    arrays = school.built(rows).arrays
    ids, places = arrays.request_ids, arrays.layout.request_ids
    assert school.raw("grade", cell(ids, places, "grade")) == [5, 5]
    assert school.raw("years", cell(ids, places, "years")) == [1, 2]  # 2 and 9 years: buckets of [1, 3]
    assert school.raw("weekday", cell(ids, places, "weekday")) == [0, 0]
    asked = cell(ids, places, "asked")
    assert asked.shape == (2, 2)
    assert (school.raw("chapter", asked[1]), asked[0, 1]) == ([1, 2], 0)
    assert cell(arrays.request_dense, arrays.layout.request_dense, "tenure")[0].tolist() == [2.0]


def test_item_features(school: School) -> None:
    built = school.built(school.rows(DAY))
    arrays = built.arrays
    at = built.keys["item.key"].tolist().index("11,12|2")
    ids, places = arrays.item_ids, arrays.layout.item_ids
    assert school.raw("package", cell(ids, places, "package"))[at] == "11,12|2"
    assert school.raw("section", cell(ids, places, "sections")[at]) == [11, 12]
    assert school.raw("style", cell(ids, places, "style"))[at] == 2
    assert school.raw("reflect", cell(ids, places, "reflect"))[at] == 8
    missing = built.keys["item.key"].tolist().index("12|1")
    assert cell(ids, places, "reflect")[missing] == 1
    assert cell(ids, places, "sections")[missing].tolist()[1:] == [0]


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


def test_study_values_are_means_over_a_packages_sections(school: School) -> None:
    school.lived(DAY.plus(-1))
    built = school.built(school.rows(DAY))
    study = cell(built.arrays.pair_dense, built.arrays.layout.pair_dense, "study")
    keys = [built.keys["item.key"][i] for i in built.arrays.pair_item]
    assert study[keys.index("11,12|2")].tolist() == [2.0, 10.0, 2.0]
    one = study[keys.index("12|1")]
    assert (one[0], np.isnan(one[1]), one[2]) == (3.0, True, 1.0)
    of_502 = study[3 + keys[3:].index("21|1")].tolist()
    assert of_502 == [5.0, 50.0, 1.0]


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


def test_requests_without_candidates_stay_and_are_counted(school: School) -> None:
    homework = lessons.table("homework", (501, 9001, 5, [40], [401], 1, 7), (502, 9002, 5, [10], [101], 1, 7))
    built = school.built(school.rows(DAY, homework=homework))
    assert built.arrays.offsets.tolist() == [0, 0, 3]
    assert built.counts["no_candidates"] == 1


def test_the_state_of_the_day_itself_is_refused(school: School) -> None:
    school.lived(DAY)
    with pytest.raises(DataError, match="only earlier days"):
        school.built(school.rows(DAY))


def test_candidates_seen_most_often_first_ties_by_key() -> None:
    settings = lessons.config().model_dump(by_alias=True, mode="json")["ranking"]
    candidates = {"from": "seen", "limit": 3}
    school = School(lessons.config(ranking={**settings, "labels": {"from": "rows"}, "candidates": candidates}))
    school.lived(DAY.plus(-1))
    school.lived(DAY, homework=lessons.table("homework", (501, 1, 5, [10], [102], 3, None)))
    rows = school.rows(DAY.next())
    pool = seen_pool(school.plan.request, school.state, Indices(school.maps))
    last = {"sections": np.full((rows.requests.rows, 3, 2), PADDING)}
    built = build(school.plan, rows, school.maps, school.state, pool=pool, last_year=last)
    keys = [built.keys["item.key"][i] for i in built.arrays.pair_item]
    assert keys == ["12|3", "11,12,21|1", "11|1", "12|3", "11,12,21|1", "11|1"]
    assert built.arrays.label.tolist() == [1, 0, 1, 0, 1, 0]
    assert pair(built, "taken") == [2, 1, 1, 2, 1, 1]
