"""Which histories are read together, and what a step of a group is."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

from models import registry
from models.inputs import ModelInputs
from models.schema import Feature, FeatureSchema, Kind, Side
from models.zoo.base import History, HistoryGroup, history_groups
from models.zoo.pooled import Pooled

STEPS = 10
AD = Feature("ad", Kind.CATEGORICAL, Side.ITEM, "s")
MAKER = Feature("maker", Kind.CATEGORICAL, Side.ITEM, "s")


def history(name: str, **settings: Any) -> Feature:
    return Feature(name, **{"kind": Kind.SEQUENCE, "side": Side.REQUEST, "space": "s", "steps": STEPS, **settings})


def schema(*histories: Feature) -> FeatureSchema:
    return FeatureSchema((AD, MAKER, *histories), {"s": "int"})


def inputs(**lists: list[float]) -> ModelInputs:
    """One request: each history's steps as vectors of one value, 0 a missing element; ads are 3, makers 5."""
    vectors = {"ad": [[[3.0]]], "maker": [[[5.0]]]}
    vectors |= {name: [[[v] for v in values + [0.0] * (STEPS - len(values))]] for name, values in lists.items()}
    tensors = {name: tf.constant(each, tf.float32) for name, each in vectors.items()}
    return ModelInputs(tensors, {name: tf.reduce_any(each != 0, axis=-1) for name, each in tensors.items()}, {}, {})


def read(features: FeatureSchema, given: ModelInputs, **options: object) -> dict[str, list[float]]:
    """What pooling makes of each group."""
    model = registry.build("pooled", features, {"units": [2], **options})
    return {group.name: model.read(group, model.history(group, given)).numpy()[0].tolist() for group in model.groups}


def test_a_history_that_agrees_with_another_in_length_only_is_read_by_itself() -> None:
    # Two categories of 1 beside ten behaviours of 2: were they one group, the categories would read .2.
    found = read(
        schema(history("categories"), history("behaviours")), inputs(categories=[1.0, 1.0], behaviours=[2.0] * 10)
    )
    assert found == {"categories": [1.0], "behaviours": [2.0]}


@pytest.mark.parametrize("kind", [Kind.SEQUENCE, Kind.BAG_SEQUENCE])
def test_no_two_histories_are_together_unless_declared(kind: Kind) -> None:
    found = history_groups(schema(*(history(name, kind=kind, of="ad") for name in "abc")))
    assert [[f.name for f in group.features] for group in found] == [["a"], ["b"], ["c"]]


def test_a_missing_element_is_missing_in_its_part_only() -> None:
    # Three steps of (ad, category), of which the last has no category: means over three.
    features = schema(history("ads", of="ad", group="click"), history("categories", group="click"))
    found = read(features, inputs(ads=[2.0, 4.0, 6.0], categories=[1.0, 5.0]))
    assert found == {"ads": [4.0, 2.0]}


def test_groups_are_in_the_order_of_their_first_history() -> None:
    features = schema(
        history("a", group="x"), history("b", group="y"), history("c", group="x"), history("y"), history("d", group="y")
    )
    assert [[f.name for f in group.features] for group in history_groups(features)] == [["a", "c"], ["b", "d"], ["y"]]


def test_parts_with_a_target_come_first_each_beside_its_own() -> None:
    features = schema(
        history("shown", group="g"), history("makers", of="maker", group="g"), history("ads", of="ad", group="g")
    )
    (group,) = history_groups(features)
    assert group.name == "shown"
    assert [f.name for f in group.features] == ["makers", "ads", "shown"]
    assert [f.name for f in group.targets] == ["maker", "ad"]
    given = inputs(shown=[9.0], makers=[7.0], ads=[8.0])
    seen = registry.build("pooled", features, {"units": [2]}).history(group, given)
    assert seen.steps.numpy()[0, 0].tolist() == [7.0, 8.0, 9.0]
    assert seen.target.numpy()[0, 0].tolist() == [5.0, 3.0]


@pytest.mark.parametrize(
    ("model", "of_request", "of_item"),
    [
        # The interest in (ad, category) is the one step, whatever its weight; the product is the ad's alone: 3 · 2.
        ("pooled", [2.0, 1.0], [3.0, 5.0, 6.0]),
        ("din", [0.0], [3.0, 5.0, 2.0, 1.0, 6.0]),
    ],
)
def test_a_part_without_a_target_is_told_but_not_multiplied(
    model: str, of_request: list[float], of_item: list[float]
) -> None:
    features = schema(history("categories", group="click"), history("ads", of="ad", group="click"))
    built = registry.build(model, features, {"units": [2]})
    seen: list[list[float]] = []

    def tower(request: tf.Tensor, item: tf.Tensor, training: bool) -> tf.Tensor:
        seen.extend([request.numpy()[0].tolist(), item.numpy()[0, 0].tolist()])
        return item[..., 0]

    built.tower = tower
    built(inputs(ads=[2.0], categories=[1.0]))
    assert seen == [of_request, of_item]


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


class Narrow(Pooled):
    """Reads a history as one value a request, whatever the width of its steps."""

    def read(self, group: HistoryGroup, history: History) -> tf.Tensor:
        return tf.reduce_sum(history.steps, axis=(1, 2))[:, None]


def test_a_history_that_is_read_as_something_else_than_its_steps_has_no_product_with_its_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One value would multiply every value of the target: nothing would break, and it would mean nothing."""
    monkeypatch.setitem(registry._MODELS, "narrow", Narrow)
    features = schema(history("ads", of="ad", group="click"), history("makers", of="maker", group="click"))
    given = inputs(ads=[2.0], makers=[4.0])
    with pytest.raises(ValueError, match=r"`read` gives 1 values for the history 'ads', whose steps have 2: .*`prod"):
        registry.build("narrow", features, {"units": [2]})(given)
    without = registry.build("narrow", features, {"units": [2], "product": False})
    assert without(given).shape == (1, 1)
