from __future__ import annotations

from models.schema import Side
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.plan.impressions import ImpressionPlan
from pipeline.features.plan.plan import Plan
from tests.unit.pipeline.features import lessons, shows


def test_the_jobs_kind_says_what_its_requests_make_of_the_features() -> None:
    assert isinstance(Plan(lessons.config()).request, HomeworkPlan)
    assert isinstance(Plan(shows.config()).request, ImpressionPlan)


def test_counters_by_side_and_the_features_that_are_their_keys() -> None:
    plan = Plan(lessons.config())
    assert list(plan.counters()) == ["taken", "own", "teacher_taken", "rank"]
    assert plan.counters(Side.REQUEST) == {}
    assert plan.key_features == ("teacher", "package")


def test_spaces_of_features_stand_before_those_that_are_mapped_in_any_case() -> None:
    features = lessons.config().model_dump(mode="json")["features"]
    shown = {name: each for name, each in features.items() if name not in ("package", "taken", "own")}
    plan = Plan(lessons.config(features=shown))
    spaces = list(plan.spaces)
    assert spaces[:2] == ["teacher", "class"]
    assert spaces.index("package") > spaces.index("section")
    assert (plan.spaces["package"], plan.spaces["teacher"]) == ("str", "int")
