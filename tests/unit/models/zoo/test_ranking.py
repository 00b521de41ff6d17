"""A network on top of what is read, where one of its two sides is empty."""

from __future__ import annotations

import pytest
import tensorflow as tf

from models import registry
from models.inputs import ModelInputs
from models.schema import Feature, FeatureSchema, Kind, Side
from models.zoo.base import RankingOptions
from models.zoo.ranking import idle_without_layers


def linear(side: Side, vectors: tf.Tensor) -> tuple[list[list[float]], list[str]]:
    """Logits of a plain sum over the one feature ``a``, of weights 2 and an output bias of .5; what it read."""
    model = registry.build(
        "pooled", FeatureSchema((Feature("a", Kind.CATEGORICAL, side, "s"),), {"s": "int"}), {"units": []}
    )
    inputs = ModelInputs({"a": vectors}, {"a": tf.ones(vectors.shape[:-1], tf.bool)}, {}, {})
    model(inputs)
    model.tower.kernel.assign(tf.fill(model.tower.kernel.shape, 2.0))
    model.output_bias.assign([0.5])
    return model(inputs).logits["label"].numpy().tolist(), [name for name, _ in model.tower.reads]


def test_a_row_by_itself_is_one_candidate_of_which_nothing_is_known() -> None:
    assert linear(Side.REQUEST, tf.constant([[1.0, 3.0], [0.0, 1.0]])) == ([[8.5], [2.5]], ["a"])


def test_candidates_of_whom_nothing_is_asked_are_told_apart_by_themselves() -> None:
    assert linear(Side.ITEM, tf.constant([[[1.0], [3.0]]])) == ([[2.5, 6.5]], ["nothing", "a"])


@pytest.mark.parametrize(("units", "idle"), [((), {"activation", "dropout"}), ((8,), set())])
def test_options_of_hidden_layers_are_idle_without_any(units: tuple[int, ...], idle: set[str]) -> None:
    assert set(idle_without_layers(RankingOptions(units=units))) == idle
