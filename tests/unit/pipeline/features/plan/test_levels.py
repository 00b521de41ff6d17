"""Levels against the columns that their rules ask of."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.features.plan.impressions import ImpressionPlan
from pipeline.features.plan.plan import Plan
from tests.unit.pipeline.features import shows


def test_levels_are_a_part_of_the_history_made_of_the_rows_columns() -> None:
    request = Plan(shows.with_levels()).request
    assert isinstance(request, ImpressionPlan)
    assert request.history_parts == {"items": "ad", "kind": "kind", "outcome": "outcome"}
    assert request.row_columns == ["user", "place", "seconds", "recent", "answered", "click"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"no": 1}, "'no': the table 'log' declares no such column"),
        ({"recent": "/a"}, "'recent': is declared as path_list; a rule asks of numbers and text"),
        ({"day": "2024-01-01"}, "'day': is declared as day"),
        ({"place": "far"}, "'place': is declared as int, and 'far' is none"),
        ({"click": 2}, r"'click': 2 is none of its `allowed` values \[0, 1\]"),
    ],
)
def test_a_rule_asks_of_a_column_what_it_can_be(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=rf"history\.outcome\.odd: {message}"):
        Plan(shows.with_levels({"odd": rule, "skip": {}}))


def test_levels_have_an_id_space_of_text_of_their_own() -> None:
    for of_levels, message in (
        ({"space": "kind"}, "its id space 'kind' is that of the feature 'kind' too, whose ids are no levels"),
        ({"space": "path"}, "its id space 'path' is that of the feature 'recent' too"),
        ({"space": "place"}, "spaces.place: int, but the ids of `history.outcome` are its levels' names: str"),
        ({"source": "history.kind", "space": "kind"}, "needs features of one id space that are made of it; declare"),
        ({"buckets": [1]}, "a history keeps the ids of its items"),
    ):
        with pytest.raises(ConfigError, match=message):
            Plan(shows.with_levels(**of_levels))
    with pytest.raises(ConfigError, match=r"no such part; one of items, kind \(see .*history\.outcome\)"):
        Plan(shows.with_levels(history={"days": "active", "length": 3, "lead": 0, "of": "all"}))
