"""Which histories are read together, and what a step of a group is."""

from __future__ import annotations

from typing import Any

import pytest

from models.encoders.history import history_groups
from models.schema import Feature, Kind, Side
from tests.unit.models.histories import STEPS, history, schema


@pytest.mark.parametrize("kind", [Kind.SEQUENCE, Kind.BAG_SEQUENCE])
def test_no_two_histories_are_together_unless_declared(kind: Kind) -> None:
    found = history_groups(schema(*(history(name, kind=kind, of="ad") for name in "abc")))
    assert [[f.name for f in group.features] for group in found] == [["a"], ["b"], ["c"]]


def test_groups_are_in_the_order_of_their_first_history() -> None:
    features = schema(
        history("a", group="x"), history("b", group="y"), history("c", group="x"), history("y"), history("d", group="y")
    )
    groups = history_groups(features)
    assert [[f.name for f in group.features] for group in groups] == [["a", "c"], ["b", "d"], ["y"]]
    # Layers are named by a group's first history, experiments name what was declared.
    assert [(group.name, group.title) for group in groups] == [("a", "x"), ("b", "y"), ("y", "y")]


@pytest.mark.parametrize(
    ("one", "two", "message"),
    [
        ({"steps": 10}, {"steps": 20}, r"'one' and 'two' are both of group 'g', but their steps differ: 10 and 20"),
        ({}, {"kind": Kind.BAG_SEQUENCE}, r"'one' and 'two' .* their kind differ: sequence and bag_sequence"),
        ({}, {"side": Side.ITEM}, r"feature 'two': a sequence stands on the request's side, not item"),
        (
            {"kind": Kind.BAG_SEQUENCE, "lead": 2},
            {"kind": Kind.BAG_SEQUENCE, "lead": 0},
            r"'one' and 'two' .* their lead differ: 2 and 0",
        ),
        ({"stand_in": "other"}, {}, r"'one' and 'two' .* only 'one' has its stand_in 'other' in use"),
    ],
)
def test_histories_that_are_no_parts_of_the_same_steps_are_refused(
    one: dict[str, Any], two: dict[str, Any], message: str
) -> None:
    features = schema(history("one", group="g", **one), history("two", group="g", **two), history("other"))
    with pytest.raises(ValueError, match=message):
        history_groups(features)


def test_what_stands_in_has_no_group_of_its_own() -> None:
    features = schema(history("one", stand_in="other", group="g"), history("other", group="h"))
    with pytest.raises(ValueError, match="'other': stands in for 'one'"):
        history_groups(features)


def test_a_stand_in_that_an_experiment_leaves_out_of_one_part_is_refused() -> None:
    whole = schema(
        history("one", stand_in="first", group="g"), history("two", stand_in="second", group="g"),
        history("first"), history("second"),
    )  # fmt: skip
    assert [f.name for f in history_groups(whole)[0].stand_ins] == ["first", "second"]
    with pytest.raises(ValueError, match=r"'one' and 'two' .* only 'one' has its stand_in"):
        history_groups(whole.subset({"ad", "maker", "one", "two", "first"}))


def ages(name: str, group: str, size: int = STEPS) -> Feature:
    return Feature(name, Kind.AGES, Side.REQUEST, size=size, group=group)


def test_a_group_knows_which_feature_tells_its_ages() -> None:
    groups = history_groups(schema(history("a", group="x"), ages("old", "x"), history("b", group="x"), history("x")))
    assert [(group.title, group.ages and group.ages.name) for group in groups] == [("x", "old"), ("x", None)]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([history("a", group="x"), ages("old", "y")], "'old': no history in use is of its group 'y'"),
        ([history("a", group="x"), ages("old", "x", 3)], "'old': 3 steps, but 'a' of its group has 10"),
        ([history("a", group="x"), ages("old", "x"), ages("new", "x")], "'old' and 'new': a group has its ages once"),
        ([history("a", group="x", kind=Kind.BAG_SEQUENCE, lead=2), ages("old", "x")], "'old': 10 steps, .* has 12"),
        ([history("a", group="x", kind=Kind.SESSIONS, sessions=3), ages("old", "x")], "'old': 10 steps, .* has 30"),
        ([history("a", group="x", stand_in="b"), history("b"), ages("old", "x")], "'a' has a stand_in"),
    ],
)
def test_ages_that_no_steps_can_have_are_refused(features: list[Feature], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        history_groups(schema(*features))
