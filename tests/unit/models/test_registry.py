from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import models.zoo
from models import registry
from models.schema import Feature, FeatureSchema, Kind, Side
from pipeline.config.experiment import TWO_TOWERS
from tests.unit.models.zoo.field_models import WHOLE, built, inputs, logits

DOCS = Path(__file__).resolve().parents[3] / "docs" / "models.md"


def test_models_and_their_options_are_listed() -> None:
    assert registry.names() == sorted(registry.names())
    assert {"blend", "din", "gru", "pooled", "popularity"} <= set(registry.names())
    options = type(registry.check_options("din", {})).model_json_schema()["properties"]
    assert options["normaliser"]["default"] == "softmax"
    assert options["normaliser"]["enum"] == ["softmax", "none"]
    assert all(option["description"] for option in options.values())


def test_a_model_says_what_it_is() -> None:
    card = registry.card("popularity")
    assert (card.family, card.trainer, card.losses, card.paper) == ("baseline", "counts", ("binary", "softmax"), None)
    assert [option.name for option in card.options] == ["item", "user", "half_life", "smoothing", "own"]
    assert registry.card("din").needs == "a history of an item feature (a sequence with `of`)"
    told = rf"there is no model 'idn' \(is 'din' meant\?\); models: {', '.join(registry.names())}"
    with pytest.raises(ValueError, match=told):
        registry.card("idn")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": [8]}, r"model 'din' has no option 'unit' \(is 'units' meant\?\); its options: .*units, "),
        ({"units": 8}, r"option 'units': 8 is not a list of whole numbers of at least 1"),
        ({"units": [8, 0]}, r"\[8, 0\] is not a list of whole numbers of at least 1"),
        (
            {"attention_units": []},
            r"option 'attention_units': \[\] is not a list of one or more whole numbers of at least 1",
        ),
        ({"units": [10**9]}, r"\[1000000000\] is not a list of whole numbers of at least 1 and of at most 65536"),
        ({"activation": "swish2"}, r"'swish2' is not one of relu, sigmoid"),
        ({"fill_forward": -1}, r"-1 is not a whole number of at least 0, or 'all'"),
        ({"fill_forward": True}, r"True is not a whole number of at least 0, or 'all'"),
        ({"product": "yes"}, r"'yes' is not true or false"),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_allowed(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        registry.check_options("din", options)


def test_good_options_are_taken() -> None:
    options = registry.check_options("din", {"units": [32], "fill_forward": "all", "normaliser": "none"})
    assert (options.units, options.fill_forward, options.normaliser) == ((32,), "all", "none")


def test_an_unknown_model_is_refused() -> None:
    told = rf"no model 'dine' \(is 'dien' meant\?\); models: {', '.join(registry.names())}"
    with pytest.raises(ValueError, match=told):
        registry.check_options("dine", {})


def feature(name: str, **settings: object) -> Feature:
    return Feature(name, **{"kind": Kind.CATEGORICAL, "side": Side.ITEM, "space": "s", **settings})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([], "needs at least one feature: there is nothing to tell rows apart by"),
        ([feature("a"), feature("p", side=Side.PAIR)], "pair features must be dense, got 'p'"),
        ([feature("a"), feature("h", kind=Kind.SEQUENCE)], "stands on the request's side, not item"),
        ([feature("a"), feature("h", kind=Kind.SEQUENCE, side=Side.REQUEST, of="b")], "its of 'b' is not among"),
        (
            [feature("a", space="t"), feature("h", kind=Kind.SEQUENCE, side=Side.REQUEST, of="a")],
            r"\(id space 's'\) is no history of 'a' \(item, id space 't'\)",
        ),
        (
            [
                feature("a"),
                feature("h", kind=Kind.SEQUENCE, side=Side.REQUEST, of="a", stand_in="g", steps=3),
                feature("g", kind=Kind.SEQUENCE, side=Side.REQUEST, steps=4),
            ],
            "its stand_in 'g' differs",
        ),
    ],
)
def test_a_schema_that_a_model_cannot_read_is_refused(features: list[Feature], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        registry.build("pooled", FeatureSchema(tuple(features), {"s": "int", "t": "int"}), {})


def test_din_needs_a_history_with_a_target() -> None:
    with pytest.raises(ValueError, match="'din' needs a history"):
        registry.build("din", FeatureSchema((feature("a"),), {"s": "int"}), {})


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("pooled", {"fill_forward": 3}, "option 'fill_forward' would have no effect: there is no history of days"),
        ("pooled", {"values_pooling": "sum"}, "option 'values_pooling' would have no effect: no feature has several"),
        ("pooled", {"product": False}, "option 'product' would have no effect: there is no history of an item"),
        ("pooled", {"pooling": "sum"}, "option 'pooling' would have no effect: there is no history"),
        ("pooled", {"units": [], "dropout": 0.5}, "option 'dropout' would have no effect: there is no hidden layer"),
        ("pooled", {"dropout": 1.0}, "option 'dropout': 1.0 is not a number of at least 0 and below 1"),
    ],
)
def test_an_option_that_cannot_act_is_refused(model: str, options: dict[str, object], message: str) -> None:
    schema = FeatureSchema((Feature("a", Kind.CATEGORICAL, Side.ITEM, "s"),), {"s": "int"})
    registry.build(model, schema, {})
    with pytest.raises(ValueError, match=message):
        registry.build(model, schema, options)


def test_models_of_two_towers_are_those_that_answer_with_their_vectors() -> None:
    assert [name for name in registry.names() if registry.has_towers(name)] == list(TWO_TOWERS)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of models of one's own, forgotten afterwards."""
    registry.names()  # those of the project are all known, and stay so
    monkeypatch.setattr(models.zoo, "__path__", [*models.zoo.__path__])
    monkeypatch.setattr(registry, "_MODELS", dict(registry._MODELS))
    monkeypatch.setenv("DAYSPRING_MODELS", str(tmp_path))
    yield tmp_path
    for file in tmp_path.glob("*.py"):
        sys.modules.pop(f"models.zoo.{file.stem}", None)


def as_documented() -> str:
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    return str(code)


def test_a_model_of_one_s_own_as_documented_is_found_and_does_what_it_says(own: Path) -> None:
    (own / "mean_product.py").write_text(as_documented(), encoding="utf-8")
    assert "mean_product" in registry.names()
    card = registry.card("mean_product")
    assert card.summary == "A linear part, and the inner product of two means of fields."
    assert "scaled" in [option.name for option in card.options]
    given = inputs(2, 0.5, user=[2.0], hour=[3.0], ad=[5.0, 7.0], price=[1.0, 2.0], clicks=[4.0, 6.0])
    # Of the request 2, 3 and 5 (clicks), of a candidate the ad and the price, whose vector is 0: in two factors.
    found = [1.5 + 2 * (10 / 3) * (ad / 2) for ad in (5, 7)]
    assert logits(built("mean_product", WHOLE), given) == pytest.approx(found, rel=1e-6)


def test_a_file_that_registers_none_is_named(own: Path) -> None:
    (own / "mine.py").write_text("X = 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"no model 'mine'; mine.py registers none: put `@register\(\"mine\"\)` above"):
        registry.card("mine")


def test_a_folder_that_is_not_there_is_named(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYSPRING_MODELS", str(own / "nowhere"))
    with pytest.raises(ValueError, match=r"DAYSPRING_MODELS: '.*nowhere' is no folder"):
        registry.names()
