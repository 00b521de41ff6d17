"""A model that has grown takes up a state of before: old values at their places, new ones as in a new chain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.architecture import Architecture
from models.engine.batching import DayBatches, score_day
from models.engine.engine import Engine
from models.engine.examples import Settings
from models.engine.grown_state import growth_of, taken_up
from models.engine.state import StateMismatch
from models.schema import DayArrays, Feature, FeatureSchema, Kind, Side
from models.tables import TableSpec
from models.tasks import Task
from tests.unit.models.school import SIZES, make_day, school_schema

NEW = {"school": 6}
NAMES = {feature.name for feature in school_schema().features}


def made(
    schema: FeatureSchema, model: str = "pooled", options: dict[str, Any] | None = None, **settings: Any
) -> Engine:
    dims = {"teacher": 3, "chapter": 2, "section": 2, "style": 2, "school": 3} | settings.pop("dims", {})
    options = {"units": [4], **(options or {})}
    settings = {"tasks": (Task(loss="softmax"),), "compile": "graph", "seed": 5} | settings
    engine = Engine(schema, model, options, dims=dims, **settings)
    engine.fresh({**SIZES, **NEW})
    return engine


def train(engine: Engine, day: DayArrays) -> None:
    batches = DayBatches(engine, day, Settings(batch_size=16, negatives=3))
    engine.train_epoch(batches, 1e-2, batches.unique_bucket)


def with_features(*added: Feature, before: str | None = None) -> FeatureSchema:
    """The school's features and more, in the middle of them."""
    old = school_schema()
    place = [f.name for f in old.features].index(before) if before else len(old.features)
    spaces = {**old.spaces, **{str(f.space): "int" for f in added if f.space}}
    return FeatureSchema((*old.features[:place], *added, *old.features[place:]), spaces)


SCHOOL = Feature("school", Kind.CATEGORICAL, Side.REQUEST, "school")
HEAT = Feature("heat", Kind.DENSE, Side.REQUEST, size=1, normalise="zscore")


@pytest.fixture(scope="module")
def trained() -> dict[str, Engine]:
    """By model, an engine of the school with a day behind it."""
    engines = {name: made(school_schema(), name) for name in ("pooled", "din")}
    day = make_day(school_schema())
    for engine in engines.values():
        train(engine, day)
        engine.observe(day)
    return engines


def rows(engine: Engine, weight: str = "dense/tower_main/kernel") -> dict[str, slice]:
    """Where the rows of a kernel stand, by what they read."""
    places, end = {}, 0
    for name, size in engine.architecture.axes[weight][0] or ():
        places[name], end = slice(end, end + size), end + size
    return places


@pytest.mark.parametrize("model", ["pooled", "din"])
def test_added_features_answer_as_before_and_begin_as_in_a_new_chain(model: str, trained: dict[str, Engine]) -> None:
    """Two features in the middle of the request's: an id with a space of its own, and a number."""
    schema = with_features(HEAT, SCHOOL, before="past_styles")
    old, new = trained[model], made(schema, model)
    first, stored, day = new.state(), old.state(), make_day(schema, sizes={**SIZES, **NEW})

    new.load(stored, old.architecture)
    # What is added is zero, so nothing but the order of the sums can differ.
    np.testing.assert_allclose(score_day(new, day), score_day(old, day), rtol=2e-6, atol=1e-6)
    assert new.sizes == {**SIZES, "school": 2}

    growth = new.growth
    new.grow({**SIZES, **NEW})
    assert growth.tables == {"school": (0, 3)}
    assert growth.inputs == {"dense/tower_main/kernel": {"heat": (0, 1), "school": (0, 3)}}
    assert growth.weights == ("normalise/heat",)
    assert growth.in_words == "tables school (3); inputs heat (1), school (3); weights normalise/heat"

    found, there, here = new.state(), rows(old), rows(new)
    for tensor in ("dense/tower_main/kernel", "slot/dense/tower_main/kernel/m", "slot/dense/tower_main/kernel/v"):
        for name, place in there.items():
            np.testing.assert_array_equal(found[tensor][here[name]], stored[tensor][place])
    for name in ("heat", "school"):
        kernel = "dense/tower_main/kernel"
        assert np.abs(first[kernel][here[name]]).min() > 0
        np.testing.assert_array_equal(found[kernel][here[name]], first[kernel][here[name]])
        assert not found[f"slot/{kernel}/m"][here[name]].any()
    for name in ("table/school", "slot/school/m", "slot/school/v", "normalise/heat"):
        np.testing.assert_array_equal(found[name], first[name])
    for name in set(stored) - {name for name in stored if name.endswith(("tower_main/kernel", "kernel/m", "kernel/v"))}:
        np.testing.assert_array_equal(found[name], stored[name])
    assert not new.growth


def test_a_wider_table_keeps_its_columns_and_everything_that_reads_them(trained: dict[str, Engine]) -> None:
    """Styles of 2 values get 5: in the item, the bag, the clicks that din reads against it, and their product."""
    old, new = trained["din"], made(school_schema(), "din", dims={"style": 5})
    first, stored, day = new.state(), old.state(), make_day(school_schema())
    new.load(stored, old.architecture)
    np.testing.assert_allclose(score_day(new, day), score_day(old, day), rtol=2e-6, atol=1e-6)

    growth = new.growth
    new.grow(SIZES)
    assert growth.tables == {"style": (2, 5)}
    assert growth.inputs["dense/tower_main/kernel"] == dict.fromkeys(
        ("past_styles", "style", "din of clicks", "clicks * style"), (2, 5)
    )
    attention = "dense/seq_clicks/kernel"
    read = [f"{what} of clicks" for what in ("target", "step", "difference", "product")]
    assert growth.inputs[attention] == dict.fromkeys(read, (2, 5))
    found = new.state()
    np.testing.assert_array_equal(found["table/style"][:, :2], stored["table/style"])
    np.testing.assert_array_equal(found["table/style"][:, 2:], first["table/style"][:, 2:])
    np.testing.assert_array_equal(found["slot/style/v"][:, :2], stored["slot/style/v"])
    assert not found["slot/style/v"][:, 2:].any()
    # Of the attention's 8 rows, two a part, each part has three more now.
    old_rows = [0, 1, 5, 6, 10, 11, 15, 16]
    np.testing.assert_array_equal(found[attention][old_rows], stored[attention])
    new_rows = sorted(set(range(20)) - set(old_rows))
    np.testing.assert_array_equal(found[attention][new_rows], first[attention][new_rows])
    assert not found[f"slot/{attention}/m"][new_rows].any()


def test_a_new_history_brings_its_own_layers(trained: dict[str, Engine]) -> None:
    teachers = Feature("styles_of_school", Kind.SEQUENCE, Side.REQUEST, "style", of="style", steps=4)
    schema = with_features(teachers)
    old, new = trained["din"], made(schema, "din")
    first, stored = new.state(), old.state()
    new.load(stored, old.architecture)
    np.testing.assert_allclose(score_day(new, make_day(schema)), score_day(old, make_day(schema)), atol=1e-6)
    growth = new.growth
    new.grow(SIZES)
    layers = {name for name in first if name.startswith("dense/seq_styles_of_school/")}
    assert set(growth.weights) == layers
    assert len(layers) > 3
    assert not growth.tables
    for name in layers:
        np.testing.assert_array_equal(new.state()[name], first[name])


def test_a_part_of_a_group_stands_in_the_middle_of_its_steps(trained: dict[str, Engine]) -> None:
    """`clicks` alone, then together with their chapters, of which candidates have their own."""
    old_schema, together = school_schema(), []
    for feature in old_schema.features:
        together.append(replace(feature, group="recent") if feature.name == "clicks" else feature)
        if feature.name == "clicks":
            together.append(replace(feature, name="seen", space="section", of=None, group="recent"))
    new = made(FeatureSchema(tuple(together), old_schema.spaces), "din", {"product": False})
    old = made(old_schema, "din", {"product": False})
    train(old, make_day(old_schema))
    stored = old.state()
    new.load(stored, old.architecture)
    growth = new.growth
    new.grow(SIZES)
    assert growth.inputs["dense/seq_clicks/kernel"] == {"seen": (0, 2)}
    kernel = new.state()["dense/seq_clicks/kernel"]
    np.testing.assert_array_equal(kernel[:8], stored["dense/seq_clicks/kernel"])  # its four parts, then the rest
    assert growth.inputs["dense/tower_main/kernel"] == {"din of seen": (0, 2)}


@pytest.mark.parametrize(
    ("encoder", "wider"),
    [
        ({"type": "attentive", "units": 3}, {"dense/seq_clicks/seq_clicks_hidden/kernel": ["clicks"]}),
        (
            {"type": "dien", "units": 3},
            {"dense/seq_clicks_interests/kernel": ["clicks"], "dense/seq_clicks_query/kernel": ["clicks"]},
        ),
        (
            {"type": "dien", "units": 3, "attention": "bilinear"},
            {"dense/seq_clicks_interests/kernel": ["clicks"], "dense/seq_clicks_attention/kernel": ["clicks"]},
        ),
    ],
)
def test_what_reads_wider_steps_keeps_its_answers(encoder: dict[str, Any], wider: dict[str, list[str]]) -> None:
    options = {"encoders": {"clicks": encoder}, "product": False}
    old, new = (made(school_schema(), "pooled", options, dims=dims) for dims in ({}, {"style": 5}))
    day = make_day(school_schema())
    train(old, day)
    new.load(old.state(), old.architecture)
    np.testing.assert_allclose(score_day(new, day), score_day(old, day), rtol=2e-6, atol=1e-6)
    inputs = {name: sorted(labels) for name, labels in new.growth.inputs.items() if "/seq_clicks" in name}
    assert inputs == wider


@pytest.mark.parametrize(
    "encoder",
    [
        {"type": "attentive", "hops": 2},  # what is new would stand between the sums
        {"type": "transformer", "heads": 1},  # a mean over wider steps is another one, and so is what it norms
        {"type": "dsin", "heads": 1},
        {"type": "gru"},
        {"type": "dien", "units": 2},  # a target as wide as an interest needs no query; a wider one does
    ],
)
def test_what_would_answer_otherwise_of_wider_steps_is_refused(encoder: dict[str, Any]) -> None:
    options = {"encoders": {"clicks": encoder}, "product": False}
    old, new = (made(school_schema(), "pooled", options, dims=dims) for dims in ({}, {"style": 4}))
    with pytest.raises(StateMismatch, match="seq_clicks"):
        new.load(old.state(), old.architecture)


def test_features_in_another_order_are_found_again(trained: dict[str, Engine]) -> None:
    """Nothing is new, but unlike before the rows would be those of other features."""
    old, schema = trained["pooled"], school_schema()
    new = made(FeatureSchema(schema.features[::-1], schema.spaces))
    new.load(old.state(), old.architecture)
    day = make_day(schema)
    np.testing.assert_allclose(score_day(new, day), score_day(old, day), rtol=2e-6, atol=1e-6)
    assert new.growth.in_words == "its inputs in another order"


def test_training_goes_on_to_the_same_bits_from_memory_or_from_a_state(trained: dict[str, Engine]) -> None:
    schema = with_features(SCHOOL)
    day = make_day(schema, sizes={**SIZES, **NEW})
    stored, then = trained["pooled"].state(), trained["pooled"].architecture
    ends = []
    for tested in (True, False):
        engine = made(schema)
        engine.load(stored, then)
        if tested:
            score_day(engine, day)
        engine.grow({**SIZES, **NEW})
        train(engine, day)
        ends.append(engine.state())
    assert ends[0].keys() == ends[1].keys()
    for name in ends[0]:
        np.testing.assert_array_equal(ends[0][name], ends[1][name])


def test_what_has_not_grown_is_no_growth(trained: dict[str, Engine]) -> None:
    old, other = trained["pooled"], made(school_schema())
    other.load(old.state(), old.architecture)
    assert not other.growth
    other.grow(SIZES)
    for name, value in old.state().items():
        np.testing.assert_array_equal(other.state()[name], value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dims": {"style": 1}}, "tensor 'table/style': its rows have 2 values, of which only 1 are left"),
        ({"model": "din"}, "it is of the model 'pooled', not of 'din'"),
        ({"options": {"units": [5]}}, r"'dense/tower_main/kernel': expected \[\d+, 5\], found"),
        ({"options": {"units": [4, 1]}}, "tensor 'dense/tower_main/tower_main_hidden_3/kernel': expected"),
        ({"schema": school_schema().subset(NAMES - {"rank"})}, "reads 1 values of 'rank', of which none is left"),
        ({"optimizer": "adagrad"}, "tensor 'slot/chapter/accumulator': expected"),
        ({"schema": with_features(SCHOOL), "optimizer": "adagrad"}, "tensor 'slot/chapter/accumulator': expected"),
    ],
)
def test_what_is_another_model_is_refused(
    changed: dict[str, Any], message: str, trained: dict[str, Engine]
) -> None:
    with pytest.raises(StateMismatch, match=message):
        made(**{"schema": school_schema(), **changed}).load(trained["pooled"].state(), trained["pooled"].architecture)


def test_a_state_that_does_not_say_what_it_is_of_is_not_grown(trained: dict[str, Engine]) -> None:
    with pytest.raises(StateMismatch, match="tensor 'table/school': expected"):
        made(with_features(SCHOOL)).load(trained["pooled"].state())


def test_a_table_of_another_width_needs_no_dense_weight_to_read_it() -> None:
    """By hand: `ad` of 2 values gets 3, and a linear table of 1 comes beside it."""
    specs = [TableSpec("ad", "ad", 3, ("ad",)), TableSpec("linear.ad", "ad", 1, ("ad",), "linear", "zeros")]
    architecture, state = Architecture(model="fm"), {"table/ad": np.zeros((7, 2)), "dense/bias": np.zeros(1)}
    growth = growth_of(state, architecture, architecture, specs, ["dense/bias"])
    assert growth.tables == {"ad": (2, 3), "linear.ad": (0, 1)}
    assert not growth.inputs
    assert not growth.weights


def test_columns_of_a_table_that_are_of_features_are_found_again() -> None:
    """By hand: of a field-aware table a field comes in the middle; one that is gone is refused."""
    then = Architecture(model="ffm", axes={"table/aware.ad": (None, (("user", 1), ("ad", 2)))})
    now = Architecture(model="ffm", axes={"table/aware.ad": (None, (("user", 1), ("hour", 1), ("ad", 2)))})
    columns = now.axes["table/aware.ad"][1] or ()
    specs = [TableSpec("aware.ad", "ad", 4, ("ad",), "aware", columns=columns)]
    state = {"table/aware.ad": np.arange(9, dtype=np.float32).reshape(3, 3)}
    growth = growth_of(state, then, now, specs, [])
    assert growth.tables == {"aware.ad": (3, 4)}
    assert not growth.inputs
    silent, begun = taken_up(state, {}, growth, then, now, specs, {"aware.ad": {}}, 1)
    table = silent["table/aware.ad"]
    assert table[:, [0, 2, 3]].tolist() == state["table/aware.ad"].tolist()
    assert table[:, 1].tolist() == [0.0, 0.0, 0.0]
    assert begun["table/aware.ad"][:, [0, 2, 3]].tolist() == state["table/aware.ad"].tolist()
    assert (begun["table/aware.ad"][1:, 1] != 0).all()
    with pytest.raises(StateMismatch, match="reads 1 values of 'hour', of which none is left"):
        growth_of({"table/aware.ad": np.zeros((3, 4))}, now, then, [replace(specs[0], width=4)], [])
