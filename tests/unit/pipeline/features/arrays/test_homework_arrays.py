"""Candidates of requests for homework, their features and what is mastered of them."""

from __future__ import annotations

import numpy as np

from pipeline.features.arrays.assemble import build
from pipeline.features.arrays.look_up import Indices
from pipeline.features.arrays.pool import seen_pool
from pipeline.features.ids.fingerprints import PADDING
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School, cell, pair


def test_candidates_by_rank_with_labels_and_what_was_taken(school: School) -> None:
    built = school.built(school.rows(DAY))
    arrays = built.arrays
    # Chapter 1 has 12|1, 11|1, 11,12|2 by rank (12|3 is the fourth and cut), chapter 2 has 21|1; 12|1 and 21|1 tie.
    keys = [built.keys["item.key"][i] for i in arrays.pair_item]
    assert keys == ["12|1", "11|1", "11,12|2", "12|1", "21|1", "11|1"]
    assert arrays.offsets.tolist() == [0, 3, 6]
    assert arrays.label[:, 0].tolist() == [0, 1, -1, -1, -1, -1]
    assert arrays.weight.tolist() == [1.5, 1.0]
    assert school.raw("teacher", arrays.user) == [501, 502]
    order = np.argsort(built.key_rank)
    assert built.keys["item.key"][order].tolist() == sorted(built.keys["item.key"])


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


def test_requests_without_candidates_stay_and_are_counted(school: School) -> None:
    homework = lessons.table("homework", (501, 9001, 5, [40], [401], 1, 7), (502, 9002, 5, [10], [101], 1, 7))
    built = school.built(school.rows(DAY, homework=homework))
    assert built.arrays.offsets.tolist() == [0, 0, 3]
    assert built.counts["no_candidates"] == 1


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
    assert built.arrays.label[:, 0].tolist() == [1, 0, 1, 0, 1, 0]
    assert pair(built, "taken") == [2, 1, 1, 2, 1, 1]


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
