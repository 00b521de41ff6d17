from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.job import JobConfig
from pipeline.errors import ConfigError
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.plan.plan import Plan
from tests.unit.pipeline.features import lessons


def with_feature(**feature: Any) -> JobConfig:
    features = lessons.config().model_dump(mode="json")["features"]
    return lessons.config(features={**features, "new": feature})


def without(*names: str) -> JobConfig:
    features = lessons.config().model_dump(mode="json")["features"]
    return lessons.config(features={name: f for name, f in features.items() if name not in names})


def test_spaces_of_packages_owners_and_histories() -> None:
    plan = Plan(lessons.config())
    assert isinstance(plan.request, HomeworkPlan)
    assert plan.request.roles == {
        "key": "package", "chapters": "chapter", "sections": "section", "style": "style", "reflect": "reflect"
    }  # fmt: skip
    assert plan.request.owner_spaces == ("teacher", "class")
    assert plan.request.history_parts == {"chapters": "chapter", "sections": "section", "styles": "style"}
    assert plan.key_features == ("teacher", "package")
    assert plan.spaces["package"] == "str"


def test_packages_have_a_space_of_their_own_where_no_feature_shows_them() -> None:
    plan = Plan(without("package", "taken", "own"))
    assert plan.request.item_space == "package"
    assert plan.spaces["package"] == "str"


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ({"kind": "bag", "side": "request", "space": "section", "source": "row.section_id"}, "give the answer away"),
        ({"kind": "categorical", "side": "request", "space": "style", "source": "row.style"}, "give the answer away"),
        ({"kind": "categorical", "side": "request", "space": "style", "source": "style"}, "not <frame>.<column>"),
        ({"kind": "categorical", "side": "request", "space": "style", "source": "shop.style"}, "not <frame>.<column>"),
        ({"kind": "categorical", "side": "request", "space": "style", "source": "row.no"}, "declares no such column"),
        ({"kind": "categorical", "side": "item", "space": "style", "source": "row.grade"}, "side"),
        ({"kind": "categorical", "side": "request", "space": "style", "source": "calendar.month"}, "`weekday` only"),
        ({"kind": "bag", "side": "item", "space": "section", "source": "item.pages"}, "no such column of a package"),
        ({"kind": "bag", "side": "item", "space": "style", "source": "item.sections"}, "several id spaces"),
        ({"kind": "bag", "side": "request", "space": "style", "source": "history.styles"}, "is a bag_sequence"),
        ({"kind": "dense", "side": "pair", "source": "study", "size": 2}, "needs size 3"),
        ({"kind": "bag", "side": "request", "space": "chapter", "source": "row.no_chapter"}, "declares no such column"),
        ({"kind": "dense", "side": "item", "counter": {"measure": "listed"}}, "of a request's list: `side: request`"),
        ({"kind": "dense", "side": "request", "counter": {"measure": "rank"}}, "in its list: `side: pair`"),
        ({"kind": "dense", "side": "request", "source": ["user.years", "row.grade"], "size": 2}, "of one frame"),
    ],
)
def test_a_wrong_source_is_told_with_its_feature(feature: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Plan(with_feature(**feature))


def test_nothing_is_paired_with_the_chapters_of_a_request() -> None:
    homework = lessons.TABLES["homework"]
    columns = {**homework["columns"], "pages": {"type": "int_list"}}
    tables = {**lessons.TABLES, "homework": {**homework, "columns": columns}}
    sequence = {"kind": "sequence", "side": "request", "space": "chapter", "steps": 3, "group": "g"}
    features = lessons.config().model_dump(mode="json")["features"]
    features |= {"one": {**sequence, "source": "row.chapter_id"}, "two": {**sequence, "source": "row.pages"}}
    with pytest.raises(ConfigError, match=r"'one' and 'two' .* 'row\.chapter_id' are base chapters, sorted"):
        Plan(lessons.config(tables=tables, features=features))


def test_owners_and_matched_columns_need_an_id_space() -> None:
    with pytest.raises(ConfigError, match=r"ranking\.owner: 'class' needs a feature of its own"):
        Plan(without("class_id"))
    with pytest.raises(ConfigError, match=r"history\.last_year\.match: 'county' needs a feature"):
        Plan(without("county"))


def test_a_table_that_is_not_declared() -> None:
    tables = {name: table for name, table in lessons.TABLES.items() if name != "base"}
    with pytest.raises(ConfigError, match=r"ranking\.base_chapters\.table: 'base' is not declared"):
        Plan(lessons.config(tables=tables))


def test_columns_that_a_request_carries_and_tables_that_it_is_made_of() -> None:
    request = Plan(lessons.config()).request
    assert request.row_columns == ["teacher", "class", "grade"]  # its chapters are told apart
    assert request.user_columns == ["county", "years", "register_day", "is_core"]
    assert request.item_columns == []
    every = {"homework", "clicks", "offered", "candidates", "base", "teachers", "study", "style_counts"}
    assert request.read_tables == every
    assert Plan(without("study")).request.read_tables == every - {"study"}
    assert Plan(without("day_counts", "window_counts")).request.read_tables == every - {"style_counts"}


@pytest.mark.parametrize(
    ("name", "changed", "message"),
    [
        ("visits", {"sessions": {"by": "gap", "gap_minutes": 30, "most": 2}}, "days of homework have no moments"),
        ("style_ages", {"unit": "hour"}, "days of homework have no moments"),
        ("style_ages", {"steps": 4}, "features.style_ages.steps: 4, but 'set_styles' of its group has 3"),
        ("visits", {"source": "last_year.sections"}, "is a bag_sequence"),
        ("set_styles", {"kind": "sequence"}, "is a bag_sequence or made of sessions"),
        (
            "set_styles", {"kind": "sessions", "steps": 2, "sessions": {"most": 2}, "group": "visits"},
            "'set_styles' and 'visits' .* a set, in step with none of another; give the features groups of their own",
        ),
    ],
)  # fmt: skip
def test_days_are_sessions_by_themselves(name: str, changed: dict[str, Any], message: str) -> None:
    declared = lessons.of_days()
    Plan(declared)
    features = declared.model_dump(mode="json", by_alias=True)["features"]
    features[name] |= changed
    with pytest.raises(ConfigError, match=message):
        Plan(lessons.config(features=features))


def test_a_class_is_shown_packages_and_not_the_ids_of_a_day() -> None:
    features = lessons.config().model_dump(mode="json")["features"]
    features["set_styles"]["negatives"] = 3
    request = Plan(lessons.config(features=features)).request
    assert request.negative_parts == ("styles",)
    features["set_styles"]["negatives"] = {"count": 3, "from": "shown"}
    with pytest.raises(ConfigError, match=r"features.set_styles.negatives: `from: shown` is for impressions"):
        Plan(lessons.config(features=features))
