from __future__ import annotations

from typing import Any

import pytest

from pipeline.config import JobConfig
from pipeline.errors import ConfigError
from pipeline.features.plan.plan import Plan
from tests.unit.pipeline.features import lessons, shows


def with_feature(**feature: Any) -> JobConfig:
    features = lessons.config().model_dump(mode="json")["features"]
    return lessons.config(features={**features, "new": feature})


def without(*names: str) -> JobConfig:
    features = lessons.config().model_dump(mode="json")["features"]
    return lessons.config(features={name: f for name, f in features.items() if name not in names})


def test_spaces_of_packages_owners_and_histories() -> None:
    plan = Plan(lessons.config())
    assert plan.roles == {
        "key": "package", "chapters": "chapter", "sections": "section", "style": "style", "reflect": "reflect"
    }  # fmt: skip
    assert plan.owner_spaces == ("teacher", "class")
    assert plan.history_parts == {"chapters": "chapter", "sections": "section", "styles": "style"}
    assert plan.key_features == ("teacher", "package")
    assert plan.spaces["package"] == "str"


def test_packages_have_a_space_of_their_own_where_no_feature_shows_them() -> None:
    plan = Plan(without("package", "taken", "own"))
    assert plan.item_space == "package"
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
        ({"kind": "dense", "side": "request", "source": ["user.years", "row.grade"], "size": 2}, "of one frame"),
    ],
)
def test_a_wrong_source_is_told_with_its_feature(feature: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Plan(with_feature(**feature))


def click(**settings: Any) -> dict[str, Any]:
    return {"kind": "sequence", "side": "request", "space": "ad", "steps": 3, "group": "click", **settings}


def grouped(one: dict[str, Any], two: dict[str, Any], **columns: Any) -> JobConfig:
    """The job of impressions with two logged lists, and histories ``one`` and ``two``."""
    log = shows.TABLES["log"]
    lists = {"ads": {"type": "int_list"}, "kinds": {"type": "int_list"}, **columns}
    tables = {**shows.TABLES, "log": {**log, "columns": {**log["columns"], **lists}}}
    features = shows.config().model_dump(mode="json")["features"]
    return shows.config(tables=tables, features={**features, "one": one, "two": two})


def test_lists_of_the_same_row_and_parts_of_the_same_history_are_good_groups() -> None:
    plan = Plan(grouped(click(source="row.ads", of="ad"), click(source="row.kinds")))
    assert [f.name for f in plan.schema.together()[-1]] == ["one", "two"]
    Plan(grouped(click(source="history.items"), click(source="history.kind", space="kind")))


@pytest.mark.parametrize(
    ("one", "two", "message"),
    [
        ({"source": "row.ads"}, {"source": "history.items"}, "come from `row.` and `history.`"),
        ({"source": "row.ads"}, {"source": "row.place"}, r"'row\.place' is declared as int, which has no steps"),
        ({"source": "row.ads"}, {"source": "row.gaps"}, "`absent` of the column 'gaps' takes values out of its lists"),
        ({"source": "row.ads"}, {"source": "row.kinds", "steps": 4}, "their steps differ: 3 and 4"),
    ],
)
def test_a_group_whose_parts_can_disagree_is_refused(one: dict[str, Any], two: dict[str, Any], message: str) -> None:
    config = grouped(click(**one), click(**two), gaps={"type": "int_list", "absent": [-1]})
    with pytest.raises(ConfigError, match=f"'one' and 'two' .*group 'click', but .*{message}"):
        Plan(config)


def test_nothing_is_paired_with_the_chapters_of_a_request() -> None:
    homework = lessons.TABLES["homework"]
    columns = {**homework["columns"], "pages": {"type": "int_list"}}
    tables = {**lessons.TABLES, "homework": {**homework, "columns": columns}}
    sequence = {"kind": "sequence", "side": "request", "space": "chapter", "steps": 3, "group": "g"}
    features = lessons.config().model_dump(mode="json")["features"]
    features |= {"one": {**sequence, "source": "row.chapter_id"}, "two": {**sequence, "source": "row.pages"}}
    with pytest.raises(ConfigError, match=r"'one' and 'two' .* 'row\.chapter_id' are base chapters, sorted"):
        Plan(lessons.config(tables=tables, features=features))


def test_a_column_of_one_row_is_no_history_of_days() -> None:
    with pytest.raises(ConfigError, match=r"'row\.kinds': is a column of one row"):
        Plan(grouped(click(source="row.ads"), click(source="row.kinds", kind="bag_sequence")))


def test_owners_and_matched_columns_need_an_id_space() -> None:
    with pytest.raises(ConfigError, match=r"ranking\.owner: 'class' needs a feature of its own"):
        Plan(without("class_id"))
    with pytest.raises(ConfigError, match=r"history\.last_year\.match: 'county' needs a feature"):
        Plan(without("county"))


def test_a_table_that_is_not_declared() -> None:
    tables = {name: table for name, table in lessons.TABLES.items() if name != "base"}
    with pytest.raises(ConfigError, match=r"ranking\.base_chapters\.table: 'base' is not declared"):
        Plan(lessons.config(tables=tables))
