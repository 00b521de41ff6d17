"""The level of each row."""

from __future__ import annotations

import numpy as np

from models.schema import MISSING_INT, MISSING_STR
from pipeline.config.features import History
from pipeline.features.frames.frame import Frame
from pipeline.features.frames.texts import Texts
from pipeline.features.rows.levels import level_of

FRAME = Frame(5, {
    "row.click": np.array([1, 0, 1, 0, MISSING_INT]),
    "row.seconds": np.array([3.0, 3.5, 20.0, np.nan, 18.0]),
    "row.place": Texts(np.array(["top", "side", MISSING_STR], object), np.array([0, 1, 1, 2, 0], np.int32)),
})  # fmt: skip


def levels(**outcome: object) -> list[str]:
    rules = History.model_validate({"outcome": outcome}).outcome
    found: list[str] = level_of(rules, FRAME).tolist()
    return found


def test_the_first_level_that_fits_is_the_rows() -> None:
    assert levels(long={"seconds": {"at_least": 18}}, click={"click": 1}, more={"seconds": {"above": 3}}, skip={}) == [
        "click", "more", "long", "skip", "long"
    ]  # fmt: skip


def test_all_of_a_rule_has_to_be_so_and_nothing_is_of_a_missing_value() -> None:
    none = MISSING_STR
    assert levels(a={"click": 0, "place": "side"}, b={"place": ["top", "none"]}) == ["b", "a", none, none, "b"]
    assert levels(a={"seconds": {"above": 3, "below": 20}}, b={"click": {"at_most": 0}}) == [none, "a", none, "b", "a"]
    assert levels(a={"seconds": {"above": 3, "at_most": 20}}, b={"click": 5}) == [none, "a", "a", none, "a"]
