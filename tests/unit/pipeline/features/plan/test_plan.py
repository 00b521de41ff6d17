from __future__ import annotations

import pytest

from models.schema import Side
from pipeline.errors import ConfigError
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


@pytest.mark.parametrize(
    ("measure", "side", "message"),
    [
        ("rank", "item", "'item', but `rank` is of a candidate in its list: `side: pair`"),
        ("rank", "request", "'request', but `rank` is of a candidate in its list: `side: pair`"),
        ("listed", "item", "'item', but `listed` is of a request's list: `side: request`"),
    ],
)
def test_what_is_told_of_a_list_has_a_side(measure: str, side: str, message: str) -> None:
    features = lessons.config().model_dump(mode="json")["features"]
    strange = {"kind": "dense", "side": side, "counter": {"measure": measure}}
    with pytest.raises(ConfigError, match=f"features.strange.side: {message}"):
        Plan(lessons.config(features={**features, "strange": strange}))
