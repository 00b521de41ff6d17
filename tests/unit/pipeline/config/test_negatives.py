"""Negatives as the YAML declares them, and what of a job's histories has them."""

from __future__ import annotations

import pytest

from pipeline.config.negatives import Negatives
from pipeline.features.plan.plan import Plan
from tests.unit.pipeline.features import shows


def test_a_number_is_so_many_of_the_day_each_alike_and_none_is_no_setting() -> None:
    found = [shows.with_negatives(given).features["clicked"].negatives for given in (5, {"count": 5})]
    assert found == [Negatives(count=5)] * 2
    assert found[0] is not None
    assert found[0].taken_from == "uniform"
    declared = shows.config().model_dump(mode="json", by_alias=True)["features"]
    assert not [name for name, feature in declared.items() if "negatives" in feature]


def test_a_step_has_one_draw_and_what_came_of_it_has_none() -> None:
    features = shows.with_negatives().model_dump(mode="json", by_alias=True)["features"]
    features["clicked_kinds"]["negatives"] = {"count": 3, "from": "shown"}
    with pytest.raises(ValueError, match=r"clicked_kinds.negatives: {count: 3, from: shown}, but 'clicked' has {count"):
        shows.config(features=features)
    features = shows.with_answers().model_dump(mode="json", by_alias=True)["features"]
    features["clicked"]["negatives"] = 2
    declared = shows.with_answers()
    answers = {"spaces": dict(declared.spaces), "impressions": declared.model_dump(by_alias=True)["impressions"]}
    schema = shows.config(features=features, **answers).feature_schema()
    assert [each.name for each in schema.features if each not in schema.asked.features] == ["clicked.negatives"]
    request = Plan(shows.config(features=features, **answers)).request
    assert (request.negative_parts, request.history_parts.keys()) == (("items",), {"items", "kind", "row.answered"})
