from __future__ import annotations

import pytest

from pipeline.release.check.homework import sampled_packages
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School
from tests.unit.pipeline.release.in_memory import as_of

KEYS = ["12|1", "21|1", "11|1", "11,12|2", "12|3"]
"""The candidates by their rank, and by key where that is the same."""


@pytest.mark.parametrize(("most", "chosen"), [(500, KEYS), (5, KEYS), (4, KEYS[::2]), (2, KEYS[::3]), (1, KEYS[:1])])
def test_an_even_sample_of_all_packages_and_how_many_there_are(most: int, chosen: list[str]) -> None:
    school = School()
    school.lived(DAY)
    raw, count = sampled_packages(as_of(school, DAY, lessons.tables()), school.plan.request, most)
    assert (raw["package"].tolist(), count) == (chosen, 5)
    assert raw["style"].tolist() == [int(key[-1]) for key in chosen]


def test_a_package_has_what_a_model_is_asked_with_of_it() -> None:
    school = School()
    school.lived(DAY)
    raw, _ = sampled_packages(as_of(school, DAY, lessons.tables()), school.plan.request, 500)
    assert sorted(raw) == ["chapters", "package", "reflect", "sections", "style"]
    at = raw["package"].tolist().index("11,12|2")
    assert [raw[name][at].tolist() for name in ("chapters", "style", "reflect")] == [[1], 2, 8]
    assert raw["sections"][at].tolist() == [11, 12]
