"""Levels of what came of a row, as they are written."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.features import History
from pipeline.config.job import JobConfig
from pipeline.config.outcome_levels import Within
from pipeline.features.state.state import StatePlan
from tests.unit.pipeline.features import shows


def test_levels_keep_their_order_and_their_rules() -> None:
    levels = {"long": {"seconds": {"above": 3}, "place": [1, 2]}, "click": {"click": 1}, "skip": {}}
    history = History.model_validate({"of": "all", "outcome": levels})
    assert list(history.outcome) == ["long", "click", "skip"]
    assert history.outcome["long"] == {"seconds": Within(above=3), "place": (1, 2)}
    assert History.model_validate(history.model_dump(mode="json")) == history
    assert History().kept == {}
    assert History.model_validate({"of": "all"}).kept == {"of": "all"}


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"skip": {}}, "'skip' alone tells nothing"),
        ({"Skip": {}, "click": {"click": 1}}, "'Skip' must be lower-case letters"),
        ({"skip": {}, "click": {"click": 1}}, "'skip', which asks for nothing, so that 'click' is never reached"),
        ({"a": {"click": 1}, "b": {"click": 1}}, "'b' is never reached: its rule is that of 'a'"),
        ({"a": {"click": []}, "b": {}}, "outcome.a.click: is empty, so no row fits"),
        ({"a": {"seconds": {"above": 1, "at_least": 2}}, "b": {}}, "one lower limit"),
        ({"a": {"seconds": {}}, "b": {}}, "limits are `above` or `at_least`, and `below` or `at_most`"),
        ({"a": {"seconds": {"above": 3, "at_most": 3}}, "b": {}}, "no number is between 3 and 3"),
        ({"a": {"seconds": {"over": 3}}, "b": {}}, "Extra inputs are not permitted"),
    ],
)
def test_a_level_that_no_row_can_have_is_refused(levels: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        History.model_validate({"outcome": levels})
    History.model_validate({"outcome": {"a": {"seconds": {"at_least": 3, "at_most": 3}}, "b": {}}})


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ({"levels": ["taken"]}, r"outcomes\.levels: taken; one or more of those of `history\.outcome`: long, click"),
        ({"levels": []}, r"features\.outcomes\.levels: none is named"),
        ({"levels": ["skip"], "source": "row.recent"}, r"they are of the steps of `history\.`, not of row\.recent"),
    ],
)
def test_a_history_is_of_levels_that_there_are(feature: dict[str, Any], message: str) -> None:
    declared = shows.with_levels().model_dump(mode="json")
    declared["features"]["outcomes"] |= feature
    with pytest.raises(ValueError, match=message):
        JobConfig.model_validate(declared)


def test_the_order_of_levels_is_a_setting_of_what_is_kept() -> None:
    levels = {"a": {"place": 8}, "b": {"click": 1}, "skip": {}}
    turned = {name: levels[name] for name in ("b", "a", "skip")}
    one, other = shows.with_levels(levels), shows.with_levels(turned)
    for stage in ("update_id_maps", "build_features"):
        assert one.stage_settings(stage) != other.stage_settings(stage)
        assert one.stage_settings(stage) == shows.with_levels(levels).stage_settings(stage)
    assert one.stage_settings("validate") == other.stage_settings("validate")
    assert StatePlan.of(one).digest != StatePlan.of(other).digest
