"""What every ranking model makes of the features and histories of a request."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models import registry
from models.encoders.base import Encoder, Reading
from models.encoders.history import History, HistoryGroup
from models.encoders.pooled import PooledOptions
from models.inputs import ModelInputs
from models.schema import Feature, FeatureSchema, Kind, Side
from models.zoo.pooled import Pooled
from tests.unit.models.histories import AD, STEPS, history, inputs, schema


def read(features: FeatureSchema, given: ModelInputs, **options: object) -> dict[str, list[float]]:
    """What pooling makes of each group."""
    model = registry.build("pooled", features, {"units": [2], **options})
    return {
        group.name: model.encoders[group.name].read(model.history(group, given), False).told.numpy()[0].tolist()
        for group in model.groups
    }


def test_a_history_that_agrees_with_another_in_length_only_is_read_by_itself() -> None:
    # Two categories of 1 beside ten behaviours of 2: were they one group, the categories would read .2.
    found = read(
        schema(history("categories"), history("behaviours")), inputs(categories=[1.0, 1.0], behaviours=[2.0] * 10)
    )
    assert found == {"categories": [1.0], "behaviours": [2.0]}


def test_a_missing_element_is_missing_in_its_part_only() -> None:
    # Three steps of (ad, category), of which the last has no category: means over three.
    features = schema(history("ads", of="ad", group="click"), history("categories", group="click"))
    found = read(features, inputs(ads=[2.0, 4.0, 6.0], categories=[1.0, 5.0]))
    assert found == {"ads": [4.0, 2.0]}


def test_parts_with_a_target_come_first_each_beside_its_own() -> None:
    features = schema(
        history("shown", group="g"), history("makers", of="maker", group="g"), history("ads", of="ad", group="g")
    )
    model = registry.build("pooled", features, {"units": [2]})
    (group,) = model.groups
    assert group.name == "shown"
    assert [f.name for f in group.features] == ["makers", "ads", "shown"]
    assert [f.name for f in group.targets] == ["maker", "ad"]
    given = inputs(shown=[9.0], makers=[7.0], ads=[8.0])
    seen = model.history(group, given)
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

    def tower(request: tf.Tensor, item: tf.Tensor, real: None, training: bool) -> tf.Tensor:
        seen.extend([request.numpy()[0].tolist(), item.numpy()[0, 0].tolist()])
        return item[..., 0]

    built.tower = tower
    built(inputs(ads=[2.0], categories=[1.0]))
    assert seen == [of_request, of_item]


class Narrow(Encoder[Any]):
    """Reads a history as one value a request, whatever the width of its steps."""

    def read(self, history: History, training: bool) -> Reading:
        return Reading(tf.reduce_sum(history.steps, axis=(1, 2))[:, None])


class ReadNarrowly(Pooled):
    def own_encoder(self, group: HistoryGroup, name: str) -> Encoder[Any]:
        return Narrow(PooledOptions(pooling="mean"), group, name=name)


def test_a_history_that_is_read_as_something_else_than_its_steps_has_no_product_with_its_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One value would multiply every value of the target: nothing would break, and it would mean nothing."""
    monkeypatch.setitem(registry._MODELS, "narrow", ReadNarrowly)
    features = schema(history("ads", of="ad", group="click"), history("makers", of="maker", group="click"))
    given = inputs(ads=[2.0], makers=[4.0])
    with pytest.raises(ValueError, match=r"the history 'click' is read as 1 values, but its steps have 2: .*`prod"):
        registry.build("narrow", features, {"units": [2]})(given)
    without = registry.build("narrow", features, {"units": [2], "product": False})
    assert without(given).logits["label"].shape == (1, 1)


TWO = schema(history("ads", of="ad", group="click"), history("pages"))


def test_an_experiment_chooses_an_encoder_by_history() -> None:
    # The clicks by din, the pages by their last step: 7 of 4 and 7.
    given = inputs(ads=[2.0, 6.0], pages=[4.0, 7.0])
    encoders = {"click": {"type": "din", "attention_units": [3]}, "pages": {"type": "pooled", "pooling": "last"}}
    mixed = registry.build("pooled", TWO, {"units": [2], "encoders": encoders})
    assert {name: type(each).__name__ for name, each in mixed.encoders.items()} == {"ads": "Din", "pages": "Pooled"}
    pages = mixed.groups[1]
    assert mixed.encoders["pages"].read(mixed.history(pages, given), False).told.numpy().tolist() == [[7.0]]


def test_a_model_with_the_encoder_of_another_is_that_other() -> None:
    """Weights of the same names and shapes, and the same scores: a checkpoint of one fits the other."""
    given = inputs(ads=[2.0, 6.0], pages=[4.0])
    din = registry.build("din", TWO, {"units": [2], "attention_units": [3]})
    told = {"click": {"type": "din", "attention_units": [3]}}
    pooled = registry.build("pooled", TWO, {"units": [2], "encoders": told})
    din(given), pooled(given)
    names = [[weight.path.partition("/")[2] for weight in model.weights] for model in (din, pooled)]
    assert names[0] == names[1]
    assert "seq_ads/kernel" in names[0]
    pooled.set_weights(din.get_weights())
    assert din(given).logits["label"].numpy().tolist() == pooled(given).logits["label"].numpy().tolist()


@pytest.mark.parametrize(
    ("encoders", "message"),
    [
        (
            {"clicks": {"type": "din"}},
            r"options.encoders: there is no history 'clicks' .*; histories: click, pages",
        ),
        ({"ads": {"type": "din"}}, "no history 'ads'"),
        ({"pages": {}}, r"options.encoders.pages.type: it has none; expected one of attentive, bgru, bst, "),
        (
            {"pages": {"type": "lstm"}},
            r"options.encoders.pages.type: 'lstm' is not one of attentive, bgru, bst, ",
        ),
        (
            {"pages": {"type": "din"}},
            r"options.encoders.pages: encoder 'din' reads a history against each candidate, but 'pages' holds values",
        ),
        (
            {"click": {"type": "din", "units": [3]}},
            r"options.encoders.click: encoder 'din' has no option 'units'; its options: attention_units, ",
        ),
        (
            {"click": {"type": "din", "attention_units": []}},
            r"options.encoders.click: encoder 'din', option 'attention_units': \[\] is not a list of one or more",
        ),
        (
            {"pages": {"type": "pooled", "pooling": "max"}},
            r"encoder 'pooled', option 'pooling': 'max' is not one of sum, mean, last",
        ),
        ({"pages": "din"}, r"model 'pooled', option 'encoders.pages': 'din' is not a mapping"),
    ],
)
def test_a_wrong_encoder_is_refused_with_what_is_allowed(encoders: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        registry.build("pooled", TWO, {"encoders": encoders})


def test_an_option_of_an_encoder_that_reads_nothing_is_refused() -> None:
    told = {"click": {"type": "pooled"}}
    with pytest.raises(ValueError, match="'normaliser' would have no effect: every history is read by what `encoders`"):
        registry.build("din", TWO, {"normaliser": "none", "encoders": told})


def test_of_two_histories_of_one_name_none_is_guessed() -> None:
    twice = schema(history("a", group="b"), history("b"))
    with pytest.raises(ValueError, match="two histories are called 'b'"):
        registry.build("pooled", twice, {"encoders": {"b": {"type": "pooled"}}})


AGED = schema(history("pages", group="read"), Feature("page_ages", Kind.AGES, Side.REQUEST, size=STEPS, group="read"))


def test_ages_are_told_to_the_encoder_alone() -> None:
    model = registry.build("pooled", AGED, {"units": [2], "pooling": "sum", "half_life": 1.0})
    given = inputs(pages=[8.0, 4.0])
    aged = given._replace(dense={"page_ages": tf.constant([[3.0, 1.0] + [float("nan")] * (STEPS - 2)])})
    read_history = model.history(model.groups[0], aged)
    assert read_history.ages.numpy().tolist() == [[3.0, 1.0] + [0.0] * (STEPS - 2)]
    assert model.encoders["pages"].read(read_history, False).told.numpy().tolist() == [[8 / 8 + 4 / 2]]
    unsaid = given._replace(dense={"page_ages": tf.constant([[float("nan")] * STEPS])})
    assert not model.history(model.groups[0], unsaid).ages.numpy().any()
    for each in (aged, unsaid):
        assert bool(tf.reduce_all(tf.math.is_finite(model(each).logits["label"])))
    assert list(model.normalisers) == []


def test_ages_that_are_not_read_and_ages_that_are_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'page_ages': what reads the history 'read' does not ask .*`without`"):
        registry.build("pooled", AGED, {})
    with pytest.raises(ValueError, match=r"'read' is to be read by the ages .* group: read"):
        registry.build("pooled", AGED.subset({"ad", "maker", "pages"}), {"half_life": 1.0})


def test_sessions_are_read_step_by_step_or_one_by_one() -> None:
    """Two sessions of two steps, the second with one: 1 and 3, 8."""
    told = {"kind": Kind.SESSIONS, "sessions": 3, "steps": 2}
    features = FeatureSchema((AD, history("visits", of="ad", **told)), {"s": "int"})
    vectors = {"ad": tf.constant([[[3.0]]]), "visits": tf.constant([[[[1.0], [3.0]], [[8.0], [0.0]], [[0.0], [0.0]]]])}
    given = ModelInputs(vectors, {name: each[..., 0] != 0 for name, each in vectors.items()}, {}, {})

    def told_by(**options: object) -> list[list[float]]:
        model = registry.build("pooled", features, {"units": [2], **options})
        assert model(given).logits["label"].shape == (1, 1)
        return model.encoders["visits"].read(model.history(model.groups[0], given), False).told.numpy().tolist()

    assert told_by(pooling="sum") == [[12.0]]
    assert told_by(pooling="last") == [[8.0]]
    assert told_by(pooling="mean", within="mean") == [[(2.0 + 8.0) / 2]]
    assert told_by(pooling="sum", within="last") == [[3.0 + 8.0]]
    assert registry.build("din", features, {"attention_units": [2]})(given).logits["label"].shape == (1, 1)


def test_steps_that_are_no_sessions_are_not_read_one_by_one() -> None:
    told = r"'click' is to be read session by session .*, but it is a sequence; name it .*`encoders`"
    with pytest.raises(ValueError, match=told):
        registry.build("pooled", TWO, {"within": "mean"})


DAYS = {"kind": Kind.BAG_SEQUENCE, "steps": 2, "values": 2}


def test_the_ids_of_a_day_may_be_read_one_after_another() -> None:
    """Both ways, by units of half their width, which all histories of an id space share."""
    days = (history("ads", of="ad", **DAYS), history("pages", **DAYS))
    model = registry.build("pooled", schema(*days), {"day_values": "rnn"})
    vectors = {
        **{name: tf.ones((1, 1, 2)) for name in ("ad", "maker")},
        "ads": tf.constant([[[[1.0, 2.0], [3.0, -1.0]], [[0.0, 0.0], [0.0, 0.0]]]]),
        "pages": tf.constant([[[[3.0, -1.0], [1.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]]]]),
    }
    given = ModelInputs(vectors, {name: each[..., 0] != 0 for name, each in vectors.items()}, {}, {})
    ads, pages = (model.history(group, given) for group in model.groups)
    (reader,) = model.day_readers.values()
    np.testing.assert_allclose(ads.steps[0, 0], reader(vectors["ads"], given.mask["ads"])[0, 0], atol=1e-6)
    assert ads.mask.numpy().tolist() == [[True, False]]
    assert np.abs(ads.steps[0, 0] - pages.steps[0, 0]).max() > 1e-6
    assert model(given).logits["label"].shape == (1, 1)


def test_what_cannot_be_read_one_after_another_is_told() -> None:
    model = registry.build("pooled", schema(history("ads", **DAYS)), {"day_values": "rnn"})
    with pytest.raises(ValueError, match=r"option 'day_values': 'rnn' reads ids both ways, .* 's' is 5 wide"):
        model.tables({"s": 5})
    with pytest.raises(ValueError, match="'day_values' would have no effect: there is no history of days whose days"):
        registry.build("pooled", schema(history("ads", **DAYS)), {"day_values": "rnn", "layout": "flat"})


def test_every_id_of_a_day_may_be_a_step() -> None:
    """One day of 1 and 2, one of 6: by days the mean of 1.5 and 6, by ids that of 1, 2 and 6."""
    features = FeatureSchema((AD, history("ads", of="ad", **DAYS)), {"s": "int"})
    vectors = {"ad": tf.constant([[[3.0]]]), "ads": tf.constant([[[[1.0], [2.0]], [[6.0], [0.0]]]])}
    given = ModelInputs(vectors, {name: each[..., 0] != 0 for name, each in vectors.items()}, {}, {})

    def told_by(**options: object) -> list[list[float]]:
        model = registry.build("pooled", features, {"units": [2], **options})
        assert model(given).logits["label"].shape == (1, 1)
        return model.encoders["ads"].read(model.history(model.groups[0], given), False).told.numpy().tolist()

    assert told_by() == [[3.75]]
    assert told_by(layout="flat") == [[3.0]]
    assert told_by(layout="flat", pooling="last") == [[6.0]]
    din = registry.build("din", features, {"layout": "flat", "attention_units": [2]})
    assert din(given).logits["label"].shape == (1, 1)


def test_ids_of_days_in_parts_are_no_steps() -> None:
    parts = FeatureSchema((AD, history("a", group="day", **DAYS), history("b", group="day", **DAYS)), {"s": "int"})
    with pytest.raises(ValueError, match=r"'layout': 'flat' makes a step of every id, .* 'day' is made of a, b"):
        registry.build("pooled", parts, {"layout": "flat"})
    with pytest.raises(ValueError, match="'layout' would have no effect: there is no history of days"):
        registry.build("pooled", TWO, {"layout": "flat"})
    alone = FeatureSchema((AD, history("a", **DAYS)), {"s": "int"})
    with pytest.raises(ValueError, match=r"'values_pooling' would have no effect: .* whose every id is a step"):
        registry.build("pooled", alone, {"layout": "flat", "values_pooling": "sum"})


def test_a_layout_is_chosen_by_history_and_by_the_model_for_the_others() -> None:
    """Days of 1, none and 6 and 8: packed, the last of them is the second step."""
    parts = {"kind": Kind.BAG_SEQUENCE, "steps": 3, "values": 2, "group": "day"}
    maker = Feature("maker", Kind.CATEGORICAL, Side.ITEM, "s")
    told_of = (history("a", of="ad", **parts), history("b", of="maker", **parts))
    features = FeatureSchema((AD, maker, *told_of), {"s": "int"})
    days, none = [[[1.0], [0.0]], [[0.0], [0.0]], [[6.0], [8.0]]], [[[0.0], [0.0]]] * 3
    vectors = {"ad": [[[3.0]]], "maker": [[[5.0]]], "a": [days], "b": [[*none[:2], [[2.0], [0.0]]]]}
    tensors = {name: tf.constant(each) for name, each in vectors.items()}
    given = ModelInputs(tensors, {name: each[..., 0] != 0 for name, each in tensors.items()}, {}, {})

    def told(**options: object) -> tuple[Any, Any, Any]:
        model = registry.build("pooled", features, {"units": [2], **options})
        assert model(given).logits["label"].shape == (1, 1)
        din = registry.build("din", features, options)
        assert din(given).logits["label"].shape == (1, 1)
        found = model.history(model.groups[0], given)
        read = model.encoders["a"].read(found, False).told
        return found.steps[0].numpy().tolist(), found.target[0, 0].numpy().tolist(), read[0].numpy().tolist()

    assert told() == ([[1, 0], [0, 0], [7, 2]], [3, 5], [4, 1])
    assert told(layout="packed") == ([[1, 0], [7, 2], [0, 0]], [3, 5], [4, 1])
    # Steps of one part each, and the mean of the candidate's parts beside them: of 1, 7 and 2 the mean.
    assert told(layout="stacked")[:2] == ([[1], [0], [0], [0], [7], [2]], [4])
    np.testing.assert_allclose(told(layout="stacked")[2], [10 / 3], rtol=1e-6)
    own = {"day": {"type": "pooled", "pooling": "last", "layout": "stacked"}}
    assert told(encoders=own)[2] == [2]
    model = registry.build("pooled", features, {"encoders": own})
    wider = (replace(f, space="t") if f.name in ("b", "maker") else f for f in features.features)
    other = registry.build("pooled", FeatureSchema(tuple(wider), {"s": "int", "t": "int"}), {"encoders": own})
    with pytest.raises(ValueError, match="the widths of its parts differ: a 8, b 4"):
        other.tables({"s": 8, "t": 4})
    assert model.tables({"s": 8})
    with pytest.raises(ValueError, match="'layout' would have no effect: every history of days has one of its own"):
        registry.build("pooled", features, {"encoders": own, "layout": "packed"})
    alone = FeatureSchema((AD, history("a", **{**parts, "group": None})), {"s": "int"})
    with pytest.raises(ValueError, match=r"'layout' would have no effect: no history of days .* several parts"):
        registry.build("pooled", alone, {"layout": "stacked"})


def test_days_that_are_old_weigh_less() -> None:
    """Of 8 two days ago and 4 one day ago; a day that is carried on is as old as the one that it comes from."""
    days = {"kind": Kind.BAG_SEQUENCE, "steps": 2, "lead": 1, "values": 1, "group": "day"}
    told = Feature("day_ages", Kind.AGES, Side.REQUEST, size=3, group="day")
    features = FeatureSchema((AD, history("a", of="ad", **days), told), {"s": "int"})
    encoders = {"day": {"type": "pooled", "pooling": "sum", "half_life": 1.0}}

    def read(third: float, **options: object) -> float:
        vectors = {"ad": tf.constant([[[3.0]]]), "a": tf.constant([[[[16.0]], [[8.0]], [[third]]]])}
        ages = {"day_ages": tf.constant([[3.0, 2.0, 1.0 if third else float("nan")]])}
        given = ModelInputs(vectors, {name: each[..., 0] != 0 for name, each in vectors.items()}, ages, {})
        model = registry.build("pooled", features, {"units": [2], "encoders": encoders, **options})
        return float(model.encoders["a"].read(model.history(model.groups[0], given), False).told[0, 0])

    assert read(4.0) == 8 / 4 + 4 / 2
    assert read(0.0) == 8 / 4
    assert read(0.0, fill_forward=1) == 8 / 4 + 8 / 4
    assert read(0.0, fill_forward=1, layout="packed") == 8 / 4 + 8 / 4


def test_sessions_are_not_read_one_by_one_and_by_age() -> None:
    with pytest.raises(ValueError, match="`half_life` weighs steps, and `within` reads sessions one by one"):
        registry.build("pooled", AGED, {"half_life": 1.0, "within": "last"})
