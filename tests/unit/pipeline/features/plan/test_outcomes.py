"""What is known only after a row is refused wherever it could reach an input of the row itself."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.config.job import JobConfig
from pipeline.config.load import load_job
from pipeline.errors import ConfigError
from pipeline.features.plan.outcomes import outcome_columns
from pipeline.features.plan.plan import Plan
from tests.tiny import PROJECT
from tests.unit.pipeline.features import lessons, shows

OUTCOME: dict[str, Any] = {"type": "int", "change": "outcome"}
COLUMNS: dict[str, Any] = {
    "bought": OUTCOME,
    "late": {"type": "time", "change": "outcome"},
    "visited": {"type": "path_list", "change": "outcome"},
    "clicked_too": {"type": "int", "source": "click"},  # the label's cell under another name
}


def shown(features: dict[str, Any] | None = None, tables: dict[str, Any] | None = None, **settings: Any) -> JobConfig:
    """The job of impressions with outcomes in its log, more features, other tables or sections."""
    log = shows.TABLES["log"]
    every = {**shows.TABLES, "log": {**log, "columns": {**log["columns"], **COLUMNS}}, **(tables or {})}
    declared = shows.config().model_dump(mode="json")["features"]
    return shows.config(tables=every, features={**declared, **(features or {})}, **settings)


def request(**settings: Any) -> dict[str, Any]:
    return {"kind": "categorical", "side": "request", "space": "place", "source": "row.bought", **settings}


@pytest.mark.parametrize(
    "feature",
    [
        request(),
        request(input=False),  # else a counter could have it as its key
        request(buckets=[1, 2]),
        request(kind="bag"),
        request(kind="sequence", space="path", source="row.visited", part=0, steps=3),
        request(kind="sequence", source="row.bought", steps=3),
        {"kind": "dense", "side": "request", "source": "row.bought"},
        {"kind": "dense", "side": "pair", "source": "row.bought"},
        {"kind": "dense", "side": "request", "source": "row.late"},
        {"kind": "dense", "side": "request", "source": ["row.seconds", "row.bought"], "size": 2},
    ],
)
def test_an_outcome_is_no_feature_of_its_row(feature: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        Plan(shown({"after": feature}))
    sources = feature["source"] if isinstance(feature["source"], list) else [feature["source"]]
    column = sources[-1].removeprefix("row.")
    assert str(caught.value) == (
        f"features.after.source: 'row.{column}': is known only after its row (tables.log.columns.{column}: "
        f"`change: outcome`), so it is never an input of the row itself; take it out"
    )


def test_the_label_under_another_name_is_an_outcome() -> None:
    with pytest.raises(ConfigError, match=r"'row\.clicked_too': is known only after its row .*from the same cell"):
        Plan(shown({"after": request(source="row.clicked_too")}))


def test_an_outcome_of_the_row_is_none_of_a_profile_that_is_read_from_the_same_table() -> None:
    impressions = shows.config().model_dump(mode="json")["impressions"]
    own = {**impressions, "profile": {"table": "log", "key": "user"}}
    features = {"county": request(source="user.place"), "skill": None, "spent": None}
    for column in ("bought", "click"):
        declared = shows.config().model_dump(mode="json")["features"] | features
        chosen = {name: each for name, each in declared.items() if each is not None}
        chosen["new"] = request(source=f"user.{column}")
        config = shown(impressions=own).model_copy(update={"features": shows.config(features=chosen).features})
        with pytest.raises(ConfigError, match=rf"features\.new\.source: 'user\.{column}': is known only after its row"):
            Plan(config)


@pytest.mark.parametrize("what", ["user", "item"])
def test_an_outcome_does_not_say_whose_the_row_is(what: str) -> None:
    impressions = {**shows.config().model_dump(mode="json")["impressions"], what: "bought"}
    # Its feature is refused first where it has one, so here it has none.
    with pytest.raises(ConfigError, match=rf"impressions\.{what}: 'bought': is known only after its row"):
        Plan(shown(impressions=impressions))


def test_an_outcome_does_not_choose_which_profiles_are_read() -> None:
    ads = {**shows.TABLES["ads"], "keys": {"table": "log", "column": "bought"}}
    with pytest.raises(ConfigError, match=r"tables\.ads\.keys: 'bought': is known only after its row"):
        Plan(shown(tables={"ads": ads}))


def test_the_label_does_not_order_the_rows() -> None:
    for order in (["user", "ad", "click"], ["clicked_too", "user"]):
        table = {**shows.TABLES["log"], "order": order}
        table["columns"] = {**table["columns"], **COLUMNS}
        with pytest.raises(ConfigError, match=r"tables\.log\.order: 'click(ed_too)?': is known only after its row"):
            Plan(shows.config(tables={**shows.TABLES, "log": table}))


@pytest.mark.parametrize(
    ("section", "settings", "setting"),
    [
        ("history", {"last_year": {"match": ["user.county", "row.after"]}}, "history.last_year.match"),
        (
            "history",
            {"last_year": {"match": ["user.county"], "own_class_first": True, "own_match": ["row.after"]}},
            "history.last_year.own_match",
        ),
        ("replay", {"match": ["row.after"]}, "replay.match"),
        ("replay", {"match": ["row.section_id"]}, "replay.match"),
        ("ranking", {"user": "after"}, "ranking.user"),
        ("ranking", {"owner": ["teacher", "after"]}, "ranking.owner"),
    ],
)
def test_an_outcome_is_matched_with_nothing(section: str, settings: dict[str, Any], setting: str) -> None:
    homework = lessons.TABLES["homework"]
    counts = lessons.TABLES["style_counts"]
    tables = {
        **lessons.TABLES,
        "homework": {**homework, "columns": {**homework["columns"], "after": OUTCOME}},
        "style_counts": {**counts, "columns": {**counts["columns"], "after": {"type": "int"}}},
    }
    whole = lessons.config().model_dump(mode="json", by_alias=True)
    column = "section_id" if "section_id" in str(settings) else "after"
    with pytest.raises(ConfigError, match=rf"{setting}: '{column}': is known only after its row \(tables\.homework"):
        Plan(lessons.config(tables=tables, **{section: {**whole[section], **settings}}))


def log(columns: dict[str, Any], **settings: Any) -> dict[str, Any]:
    whole = shows.TABLES["log"]
    return {**whole, **settings, "columns": {**whole["columns"], **columns}}


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"log": log({"after": OUTCOME}, order=["user", "after"])}, "`order` names after, which is declared"),
        ({"log": log({"after": {"type": "time", "change": "outcome"}}, time="after")}, "`time` names after"),
        ({"log": log({"day": {"type": "day", "change": "outcome"}})}, "`day` names day"),
        (
            {"log": log({"after": OUTCOME, "same": {"type": "int", "source": "after"}})},
            "'same' and 'after' are read from the same column 'after', but only 'after' is declared",
        ),
        (
            {"log": log({"after": {**OUTCOME, "source": "k", "part": 1}, "whole": {"type": "str", "source": "k"}})},
            "'whole' and 'after' are read from the same column 'k'",
        ),
        (
            {"log": log({"after": OUTCOME, "same": {"type": "int", "source": "context:After"}})},
            "'same' and 'after' are read from the same column 'after'",
        ),
        (
            {"ads": {**shows.TABLES["ads"], "columns": {**shows.TABLES["ads"]["columns"], "clicks": OUTCOME}}},
            "an undated table has no row of a moment: `change: outcome` of clicks",
        ),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(tables: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        shows.config(tables={**shows.TABLES, **tables})


@pytest.mark.parametrize("column", ["bought", "click"])
def test_a_profile_read_from_the_same_source_does_not_tell_the_outcome(column: str) -> None:
    users = {**shows.TABLES["users"], "source": "log"}
    tables = {"users": {**users, "columns": {**users["columns"], "secret": {"type": "int", "source": column}}}}
    with pytest.raises(ConfigError, match=r"features\.after\.source: 'user\.secret': is known only after its row"):
        Plan(shown({"after": request(source="user.secret")}, tables))
    # Another family's column of that name is another cell.
    for log_name, name, same in (("a:x", "b:x", False), ("a:x", "x", True), ("a:x", "A:X", True)):
        columns = {"after": {**OUTCOME, "source": log_name}}
        users["columns"] = {**shows.TABLES["users"]["columns"], "secret": {"type": "int", "source": name}}
        config = shows.config(tables={**shows.TABLES, "log": log(columns), "users": users})
        assert ("secret" in outcome_columns(config)["users"]) is same


def test_another_part_of_the_same_key_is_no_outcome() -> None:
    columns = {"after": {**OUTCOME, "source": "k", "part": 1}, "other": {"type": "int", "source": "k", "part": 0}}
    config = shows.config(tables={**shows.TABLES, "log": log(columns)})
    assert outcome_columns(config)["log"] == {"after", "click", "answered"}


def test_a_label_may_be_declared_as_what_it_is_and_values_of_earlier_days_may_be_outcomes() -> None:
    Plan(shows.config(tables={**shows.TABLES, "log": log({"click": {**shows.TABLES["log"]["columns"]["click"],
                                                                    "change": "outcome"}})}))  # fmt: skip
    study = lessons.TABLES["study"]
    columns = {**study["columns"], "v1": {**study["columns"]["v1"], "change": "outcome"}}
    Plan(lessons.config(tables={**lessons.TABLES, "study": {**study, "columns": columns}}))


@pytest.mark.parametrize("column", ["exposure_duration", "count_click", "exe_time"])
def test_what_came_of_an_impression_is_none_of_its_inputs_in_the_shipped_job(column: str) -> None:
    config = load_job("ads", PROJECT / "conf")
    assert column in outcome_columns(config)["impressions"]
    assert not [name for name, each in Plan(config).features.items() if ("row", column) in each.columns]
    # The ad's own sums, as of a snapshot, are another thing.
    read = {key for planned in Plan(config).features.values() for key in planned.keys}
    assert {"item.exposure_duration", "item.count_click"} <= read
