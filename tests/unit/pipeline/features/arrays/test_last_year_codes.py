from __future__ import annotations

from pipeline.features.arrays.last_year_codes import group_codes, group_keys
from pipeline.features.ids.fingerprints import key_of
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School


def test_rows_are_matched_by_the_codes_of_their_columns() -> None:
    school = School()
    requests = school.rows(DAY).requests
    columns = school.plan.request.group_columns
    assert columns == ("user.county", "row.grade")
    codes = group_codes(school.plan, school.plan.request, columns, requests)
    assert [each.tolist() for each in codes] == [[70, 70], [5, 5]]
    assert group_keys(school.plan, school.plan.request, columns, requests).tolist() == key_of(*codes).tolist()


def test_without_columns_there_is_no_key() -> None:
    school = School()
    assert group_keys(school.plan, school.plan.request, (), school.rows(DAY).requests).tolist() == []
