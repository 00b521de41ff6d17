"""Features of the request's own columns."""

from __future__ import annotations

from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School, cell


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
