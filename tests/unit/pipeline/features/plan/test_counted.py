"""Values against the columns that they are made of."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.features.plan.counted import features_of, value_columns
from pipeline.features.plan.plan import Plan
from tests.unit.pipeline.features import cells, shows


def test_columns_of_values_are_read_and_no_input() -> None:
    plan = Plan(shows.with_values())
    assert value_columns(plan.config) == ["answered", "seconds"]
    assert plan.counted == ("watched", "long>0", "long")
    assert "answered" in plan.request.row_columns
    assert [features_of(group) for group in (("user",), ("user", "=long"))] == [("user",), ("user",)]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"column": "no"}, "values.watched.column: 'no': the table 'log' declares no such column"),
        ({"column": ["click", "recent"]}, "values.watched.column: 'recent': is declared as path_list, which is no"),
        ({"column": "click", "over": "day"}, "values.watched.over: 'day': is declared as day, which is no number"),
    ],
)
def test_a_value_is_made_of_numbers(value: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Plan(shows.with_values({**shows.VALUES, "watched": value}))


def test_labelled_rows_have_values_too() -> None:
    counter = {"kind": "dense", "counter": {"key": ["site"], "measure": "mean", "value": "bid"}}
    declared = cells.declared()["features"]
    settings = {"features": {**declared, "site_bid": counter}, "values": {"bid": {"column": "bids", "log": True}}}
    job = cells.Cells(cells.config(**settings))
    assert "bids" in job.plan.request.row_columns
    built = [job.day(cells.DAY.plus(step)).arrays for step in range(2)]
    place = built[0].layout.request_dense["site_bid"].start
    # Sites a, b, none, a with 3, 0, no and 1 bids.
    assert not built[0].request_dense[:, place].any()
    assert (built[1].request_dense[:, place] > 0).all()
    with pytest.raises(ConfigError, match=r"'site': is declared as str"):
        Plan(cells.config(**{**settings, "values": {"bid": {"column": "site"}}}))
