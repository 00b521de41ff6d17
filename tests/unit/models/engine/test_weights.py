from __future__ import annotations

import keras
import pytest
import tensorflow as tf

from models.engine.update_rules import Adagrad, Adam
from models.engine.view import View
from models.engine.weights import DenseWeights
from models.inputs import ModelInputs
from models.layers.normalise import Normalise
from models.schema import Feature, FeatureSchema, Kind, Layout, Side

SCHEMA = FeatureSchema((Feature("price", Kind.DENSE, Side.ITEM, normalise="zscore"),))
VIEW = View.of(SCHEMA, (), Layout.of(SCHEMA, {}))


class Line(keras.layers.Layer):
    """``kernel * price + bias``, and a weight that no optimiser moves."""

    def __init__(self) -> None:
        super().__init__(name="line")
        self.normalisers = {"price": Normalise(1, "zscore", name="normalise_price")}
        self.kernel = self.add_weight(name="kernel", shape=(1,), initializer="random_normal")
        self.output_bias = self.add_weight(name="bias", shape=(1,), initializer="ones")
        self.held = self.add_weight(name="held", shape=(2,), initializer="ones", trainable=False)

    def build(self, *shapes: object) -> None:
        self.built = True

    def call(self, inputs: ModelInputs, training: bool = False) -> tf.Tensor:
        return (self.normalisers["price"](inputs.dense["price"]) * self.kernel + self.output_bias)[..., 0]


def test_a_checkpoint_holds_every_weight_but_what_normalisers_derive_and_slots_of_what_is_moved() -> None:
    dense = DenseWeights(Line(), VIEW, 1, Adam())
    assert {name: tuple(variable.shape) for name, variable in dense.variables.items()} == {
        "dense/kernel": (1,), "dense/bias": (1,), "dense/held": (2,),
        "slot/dense/kernel/m": (1,), "slot/dense/bias/m": (1,),
        "slot/dense/kernel/v": (1,), "slot/dense/bias/v": (1,),
    }  # fmt: skip
    assert [len(dense.moved), *map(len, dense.slots.values())] == [2, 2, 2]


@pytest.mark.parametrize(("base_rate", "bias"), [(None, 1.0), (0.5, 0.0), (0.2, -1.3862944)])
def test_the_output_starts_at_the_logit_of_the_base_rate(base_rate: float | None, bias: float) -> None:
    """ln(.2 / .8)."""
    dense = DenseWeights(Line(), VIEW, 1, Adam())
    first = dense.first(base_rate and [base_rate])
    assert first["dense/bias"] == pytest.approx([bias])
    assert first["dense/held"].tolist() == [1, 1]
    assert not first["slot/dense/kernel/v"].any()


def test_slots_are_those_of_the_rule_and_start_as_it_says() -> None:
    dense = DenseWeights(Line(), VIEW, 1, Adagrad())
    assert list(dense.slots) == ["accumulator"]
    assert dense.first(None)["slot/dense/kernel/accumulator"] == pytest.approx([0.1])


def test_each_weight_moves_with_its_own_slots() -> None:
    """By .1 · g / sqrt(.1 + g²), with g of 2 and of -1."""
    dense = DenseWeights(Line(), VIEW, 1, Adagrad())
    for name, value in dense.first(None).items():
        dense.variables[name].assign(value)
    before = [weight.numpy() for weight in dense.moved]
    dense.move([tf.constant([2.0]), tf.constant([-1.0])], tf.constant(1), tf.constant(0.1))
    found = [(after.numpy() - old).item() for after, old in zip(dense.moved, before, strict=True)]
    assert found == pytest.approx([-0.2 / 4.1**0.5, 0.1 / 1.1**0.5], rel=1e-5)
    assert dense.variables["slot/dense/kernel/accumulator"].numpy() == pytest.approx([4.1])
    assert dense.variables["slot/dense/bias/accumulator"].numpy() == pytest.approx([1.1])


class Told(Line):
    """Says of what its kernel is."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight_axes = {"kernel": ((("price", size),),)}


def test_what_an_axis_is_of_is_told_by_the_layer_and_must_be_as_long() -> None:
    assert DenseWeights(Told(1), VIEW, 1, Adam()).axes == {"dense/kernel": ((("price", 1),),)}
    assert DenseWeights(Line(), VIEW, 1, Adam()).axes == {}
    with pytest.raises(ValueError, match=r"layer 'line' tells \[2\] of its kernel, of \[1\]"):
        DenseWeights(Told(2), VIEW, 1, Adam())
