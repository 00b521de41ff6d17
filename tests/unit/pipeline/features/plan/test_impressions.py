from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.features.plan.impressions import ImpressionPlan
from pipeline.features.plan.plan import Plan
from tests.unit.pipeline.features import shows


def with_feature(**feature: Any) -> Plan:
    features = shows.config().model_dump(mode="json")["features"]
    return Plan(shows.config(features={**features, "new": feature}))


def test_a_user_owns_the_history_of_his_items_and_their_parts() -> None:
    plan = Plan(shows.with_answers())
    request = plan.request
    assert isinstance(request, ImpressionPlan)
    assert (request.user_space, request.owner_columns, request.owner_spaces) == ("user", ("user",), ("user",))
    assert request.item_space == "ad"
    assert list(request.history_parts.items())[:2] == [("items", "ad"), ("kind", "kind")]
    # The column of the row itself is read by the rule of its history.
    part = request.row_parts["row.answered"]
    assert part.columns == (("row", "answered"),)
    assert part.settings.buckets == plan.features["answers"].settings.buckets
    assert set(request.own_spaces) == {"user", "ad", *request.history_parts.values()}


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ({"kind": "categorical", "side": "request", "space": "place", "source": "row.click"}, "click': is the label"),
        ({"kind": "dense", "side": "pair", "source": "study", "size": 2}, "frames row, user, item, history, calendar"),
        ({"kind": "sequence", "side": "request", "space": "ad", "source": "last_year.items"}, "not <frame>.<column>"),
        ({"kind": "sequence", "side": "request", "space": "ad", "source": "history.no"}, "one of items, kind"),
        ({"kind": "bag", "side": "request", "space": "ad", "source": "history.items"}, "a sequence or a bag_sequence"),
        ({"kind": "sequence", "side": "request", "space": "ad", "source": "history.items", "part": 1}, "keeps the ids"),
        ({"kind": "categorical", "side": "request", "space": "kind", "source": "item.kind"}, "on the side item"),
    ],
)  # fmt: skip
def test_a_wrong_source_is_told_with_its_feature(feature: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"features.new.*{message}"):
        with_feature(**feature)


def test_an_item_without_a_table_has_its_id_alone() -> None:
    whole = shows.config().model_dump(mode="json")
    impressions = {**whole["impressions"], "items": None, "history_parts": []}
    features = {name: whole["features"][name] for name in ("user", "ad", "clicked")}
    assert isinstance(Plan(shows.config(impressions=impressions, features=features)).request, ImpressionPlan)
    told = r"features.kind.*without `impressions.items` an item has its id alone, `item.ad`"
    with pytest.raises(ConfigError, match=told):
        Plan(shows.config(impressions=impressions, features=features | {"kind": whole["features"]["kind"]}))


@pytest.mark.parametrize(
    ("ages", "message"),
    [
        ({"source": "history.kind"}, "with the source `history.age`"),
        ({"group": None}, "`ages` are those of the steps of a `group`"),
        ({"space": "ad"}, "`ages` takes none"),
        ({"unit": "minute"}, "Input should be 'second', 'hour' or 'day'"),
        ({"side": "item"}, "on the request's side, not on the item's"),
    ],
)
def test_ages_are_of_a_group(ages: dict[str, Any], message: str) -> None:
    Plan(shows.with_ages())
    with pytest.raises(ValueError, match=message):
        shows.with_ages(**ages)


def test_lists_of_the_row_itself_have_no_ages() -> None:
    features = shows.with_ages().model_dump(mode="json")["features"]
    features["recent"]["group"] = "now"
    ages = {**features["click_ages"], "group": "now", "steps": 2}
    with pytest.raises(ConfigError, match=r"'click_ages' and 'recent' .* not of those of 'row.recent'"):
        Plan(shows.config(features={**features, "click_ages": ages}))


VECTOR = {"kind": "vector", "side": "item", "source": "item.picture", "size": 3}


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ({"size": 4}, "the vector has `size: 4`, so tables.ads.columns.picture has to declare `items: 4`"),
        ({"source": "item.kind"}, "a vector is a float_list, and tables.ads.columns.kind is declared as str"),
        ({"side": "request", "source": "history.kind"}, "a sequence or a bag_sequence"),
        ({"side": "request", "source": "calendar.weekday", "size": 1}, "`weekday` only, one id or number"),
        ({"source": ["item.picture", "item.picture"]}, "several columns make a bag or dense values"),
        ({"kind": "bag", "space": "tag", "size": 1}, "floats are no ids; it can be a vector"),
    ],
)
def test_a_vector_is_a_column_of_lists_of_its_size(feature: dict[str, Any], message: str) -> None:
    features = shows.with_vectors().model_dump(mode="json")["features"]
    Plan(shows.with_vectors(features={**features, "new": VECTOR}))
    with pytest.raises(ConfigError, match=message):
        Plan(shows.with_vectors(features={**features, "new": {**VECTOR, **feature}}))


def test_a_row_may_have_a_value_for_its_candidate() -> None:
    """One item is shown, so what is known of it with the user stands in the row itself."""
    plan = with_feature(kind="dense", side="pair", source="row.seconds")
    assert [each.name for each in plan.of_frame("row") if each.feature.side.value == "pair"] == ["new"]


@pytest.mark.parametrize(("section", "table"), [("profile", "users"), ("items", "ads")])
def test_a_key_that_its_table_does_not_declare_is_refused(section: str, table: str) -> None:
    wrong = {**shows.config().model_dump()["impressions"], section: {"table": table, "key": "no"}}
    with pytest.raises(ConfigError, match=rf"impressions\.{section}\.key: the table '{table}' declares no column 'no'"):
        Plan(shows.config(impressions=wrong))


def test_columns_that_an_impression_carries_and_tables_that_it_is_made_of() -> None:
    request = Plan(shows.with_answers()).request
    assert request.row_columns == ["user", "place", "seconds", "recent", "answered"]
    assert request.user_columns == ["county", "skill", "spent"]
    assert set(request.item_columns) == {"kind", "tag_1", "tag_2", "clicks"}
    assert request.read_tables == {"log", "users", "ads"}


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ({"time": None}, "features.clicked: is made of the moments of steps: tables.log.time has to name a column"),
        ({"order": ["user", "at"]}, "stands first in tables.log.order"),
        ({"columns": {"at": {"type": "time"}}}, "required: true"),
    ],
)
def test_moments_of_steps_are_those_of_the_rows(log: dict[str, Any], message: str) -> None:
    job = shows.with_moments()
    assert Plan(job).request.time == "at"
    declared = job.model_dump(mode="json", by_alias=True)["tables"]
    columns = {**declared["log"]["columns"], **log.get("columns", {})}
    tables = {**declared, "log": {**declared["log"], **log, "columns": columns}}
    with pytest.raises(ConfigError, match=message):
        Plan(shows.with_moments(tables=tables))
    assert Plan(shows.with_sessions()).request.time is None, "a day needs no moments"


@pytest.mark.parametrize(
    ("of_kinds", "message"),
    [
        ({"sessions": {"most": 2, "least": 2}}, "'clicked' and 'clicked_kinds' .* their `sessions` differ"),
        ({"sessions": {"most": 3}}, "'clicked' and 'clicked_kinds' .* their sessions differ: 2 and 3"),
        ({"sessions": None}, "`sessions` says how a history of kind `sessions` is split"),
        ({"sessions": {"least": 3}}, "at most `steps: 2`, which is below `least`"),
        ({"sessions": {"by": "lesson"}}, "Input should be 'day' or 'gap'"),
        ({"sessions": {"by": "gap"}}, "`gap_minutes` is of `by: gap`, which needs it"),
        ({"sessions": {"gap_minutes": 30}}, "`gap_minutes` is of `by: gap`, which needs it"),
        ({"sessions": {"by": "gap", "gap_minutes": 0}}, "Input should be greater than 0"),
        ({"source": "row.recent", "space": "path", "group": None}, "sessions are made of `history.`"),
    ],
)
def test_sessions_of_a_group_are_the_same(of_kinds: dict[str, Any], message: str) -> None:
    declared = shows.with_sessions()
    Plan(declared)
    features = declared.model_dump(mode="json")["features"]
    features["clicked_kinds"] |= of_kinds
    if "source" in of_kinds:
        features["clicked_kinds"]["of"] = None
    with pytest.raises((ConfigError, ValueError), match=message):
        Plan(shows.config(features=features))


@pytest.mark.parametrize(
    ("negatives", "of_clicked", "message"),
    [
        (0, {}, "features.clicked.negatives.count"),
        (65, {}, "features.clicked.negatives.count"),
        ({"count": 4, "from": "seen"}, {}, "Input should be 'uniform', 'popularity' or 'shown'"),
        (4, {"of": None}, "items that could have stood in a step: name the one that it is `of`"),
        (4, {"source": "row.recent"}, "features.clicked.negatives: are drawn as a day enters the histories that are"),
    ],
)
def test_negatives_are_of_a_history_of_items_that_is_kept(
    negatives: Any, of_clicked: dict[str, Any], message: str
) -> None:
    Plan(shows.with_negatives({"count": 4, "from": "shown"}))
    with pytest.raises((ConfigError, ValueError), match=message):
        Plan(shows.with_negatives(negatives, group=None, **of_clicked))


CLICKED = {"click": {"type": "int", "required": True, "allowed": [1]}}
LOG = {**shows.TABLES["log"], "columns": {**shows.TABLES["log"]["columns"], **CLICKED}}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"history": {"days": "active", "length": 3, "lead": 0, "of": "all"}}, "as all that was shown are steps"),
        ({"tables": {**shows.TABLES, "log": LOG}}, "the log has no impressions that were not clicked"),
    ],
)
def test_what_was_shown_and_not_clicked_has_to_be_in_the_log(changed: dict[str, Any], message: str) -> None:
    shown = shows.with_negatives({"count": 4, "from": "shown"})
    settings = shows.config(features=shown.model_dump(mode="json", by_alias=True)["features"], **changed)
    with pytest.raises(ConfigError, match=f"features.clicked.negatives: `from: shown` finds nothing.*{message}"):
        Plan(settings)
