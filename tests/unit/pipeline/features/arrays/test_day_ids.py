from __future__ import annotations

from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School


def test_maps_are_in_order_of_first_appearance() -> None:
    school = School()
    school.rows(DAY)
    maps = school.maps
    assert maps["teacher"].ids.tolist() == [501, 502]  # 503 set nothing that has a base section
    # As asked for, then of packages set; then of study rows, then listed ones by rank and key.
    assert maps["chapter"].ids.tolist() == [1, 2]
    assert maps["package"].ids.tolist() == ["11|1", "12|3", "11,12,21|1", "12|1", "21|1", "11,12|2"]
