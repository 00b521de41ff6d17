from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.job import JobConfig
from pipeline.errors import ConfigError
from pipeline.features.plan.plan import Plan
from tests.unit.pipeline.features import shows


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


def test_a_column_of_one_row_is_no_history_of_days() -> None:
    with pytest.raises(ConfigError, match=r"'row\.kinds': is a column of one row"):
        Plan(grouped(click(source="row.ads"), click(source="row.kinds", kind="bag_sequence")))
