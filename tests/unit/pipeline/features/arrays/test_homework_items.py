"""Features of packages."""

from __future__ import annotations

from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School, cell


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
