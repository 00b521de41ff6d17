"""Attention of a target, activations, and DIEN, which is made of both and of recurrences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models.layers.attention import TargetAttention
from models.layers.attention_gru import AUGRU
from models.layers.bilinear_attention import BilinearAttention
from models.layers.dice import Dice
from models.layers.gru import GRU
from models.layers.next_step_loss import NextStepLoss
from models.layers.pooling import pool
from tests.unit.models.golden_cases.case import Arrays, Case, asked, beside


class Weights(keras.layers.Layer):
    """What an attention weighs with, and what it makes of the steps."""

    def __init__(self, of: Any) -> None:
        super().__init__(name="weights")
        self.of = of

    def build(self, target_shape: Any, steps_shape: Any, *_: Any) -> None:
        self.of.build(target_shape, steps_shape)
        self.built = True

    def call(self, target: tf.Tensor, steps: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self.of.attend(target, steps, mask), self.of(target, steps, mask)


def network(a: Arrays, normaliser: str, prefix: str = "") -> tuple[Weights, dict[str, tf.Tensor]]:
    """DIN's unit of two hidden layers with the file's weights."""
    names = {"unit/kernel": "w1", "unit/bias": "b1", "unit_hidden_2/kernel": "w2", "unit_hidden_2/bias": "b2",
             "unit_score/kernel": "w3", "unit_score/bias": "b3"}  # fmt: skip
    units = (len(a[f"{prefix}b1"]), len(a[f"{prefix}b2"]))
    layer = Weights(TargetAttention(units, "sigmoid", normaliser, name="unit"))
    return layer, {name: a[f"{prefix}{array}"] for name, array in names.items()}


def din_attention(a: Arrays) -> Mapping[str, tf.Tensor]:
    found: dict[str, tf.Tensor] = {}
    for normaliser in ("softmax", "none"):
        layer, weights = network(a, normaliser)
        of_steps, interest = asked(layer, weights, a["target"], a["steps"], a["mask"])
        found |= {f"out_weights_{normaliser}": of_steps, f"out_interest_{normaliser}": interest}
    return found | {"out_scores": found["out_weights_none"]}


def dice(a: Arrays) -> Mapping[str, tf.Tensor]:
    found: dict[str, tf.Tensor] = {}
    for kind in ("train", "infer", "masked_train"):
        layer = Dice(float(a["epsilon"]), float(a["momentum"]), name="dice")
        given = (a["sequence"], a["mask"]) if kind == "masked_train" else (a["x"],)
        layer(*given)
        moving = [a["moving_mean"], a["moving_variance"]]
        out, after = layer.stateless_call([a["alpha"]], moving, *given, training=kind != "infer")
        found[f"out_{kind}"] = out
        if kind == "train":
            found |= {"out_new_moving_mean": after[0], "out_new_moving_variance": after[1]}
    for prefix, values, mask in (("", a["x"], np.ones(len(a["x"]), bool)), ("masked_", a["sequence"], a["mask"])):
        mean, variance = Dice(name="dice").statistics(values, tf.cast(mask, tf.float32)[..., None])
        found |= {f"out_{prefix}mean": mean, f"out_{prefix}variance": variance}
    return found


def dien(a: Arrays) -> Mapping[str, tf.Tensor]:
    mask = tf.constant(a["mask"])
    gru = {name: a[name] for name in ("kernel", "recurrent_kernel", "bias")}
    interests = asked(GRU(len(a["recurrent_kernel"]), name="gru"), gru, a["history"], mask)
    unit, weights = network(a, "softmax")
    scores = asked(unit, weights, a["target"][:, None], interests, mask)[0][:, 0]
    # The file's matrix is `h W q` as the layer's.
    bilinear = {"bilinear/kernel": a["bilinear"]}
    by_matrix = asked(Weights(BilinearAttention(name="bilinear")), bilinear, a["target"][:, None], interests, mask)
    found = {"out_interests": interests, "out_scores": scores, "out_scores_bilinear": by_matrix[0][:, 0]}
    found["out_sum"] = pool(a["history"], mask, "sum")
    for gate, loss in (("paper", "inner"), ("reference", "mlp")):
        kinds = {"": ("after", scores), "_bilinear": ("after", by_matrix[0][:, 0]), "_before": ("before", scores)}
        for name, (reset, given) in kinds.items():
            bias = beside(a, "bu", "br", "bh")
            cell = {
                "kernel": beside(a, "wu", "wr", "wh"),
                "recurrent_kernel": beside(a, "uu", "ur", "uh"),
                "bias": bias if reset == "before" else tf.stack([bias, tf.zeros_like(bias)]),
            }
            layer = AUGRU(len(a["uu"]), gate, reset, name="augru")  # type: ignore[arg-type]
            found[f"out_state_{gate}{name}"] = asked(layer, cell, interests, mask, given)[:, -1]
        found[f"out_logit_{gate}"] = head(a, found["out_sum"], found[f"out_state_{gate}"])
        found[f"out_logit_{gate}_before"] = head(a, found["out_sum"], found[f"out_state_{gate}_before"])
        found[f"out_logit_{gate}_dice"] = head(a, found["out_sum"], found[f"out_state_{gate}"], dice=True)
        found[f"out_aux_{loss}"] = next_step(a, interests, mask, loss)
        wrong = tf.nn.sigmoid_cross_entropy_with_logits(labels=a["label"], logits=found[f"out_logit_{gate}"])
        found[f"out_loss_{gate}"] = tf.reduce_mean(wrong) + a["aux_weight"] * found[f"out_aux_{loss}"]
    return found


def next_step(a: Arrays, states: tf.Tensor, mask: tf.Tensor, kind: str) -> tf.Tensor:
    """The auxiliary loss, by the inner product or by the network of three layers."""
    arrays = [("a1", "c1"), ("a2", "c2"), ("a3", "c3")] if kind == "mlp" else []
    layer = NextStepLoss([len(a[bias]) for _, bias in arrays[:-1]], name="next")
    weights = {
        f"next_{n}/{part}": a[name]
        for n, names in enumerate(arrays)
        for part, name in zip(("kernel", "bias"), names, strict=True)
    }
    return asked(layer, weights, states, a["history"], mask, a["negatives"][:, :, None], mask[..., None])


def head(a: Arrays, total: tf.Tensor, state: tf.Tensor, *, dice: bool = False) -> tf.Tensor:
    """The network on top, by hand."""
    hidden = tf.concat([a["user"], a["target"], total, a["target"] * total, state], axis=-1)
    for n in (1, 2):
        hidden = tf.matmul(hidden, a[f"h{n}"]) + a[f"d{n}"]
        if dice:
            layer = Dice(float(a["epsilon"]), name="dice")
            layer(hidden)
            moving = [a[f"dice{n}_mean"], a[f"dice{n}_variance"]]
            hidden = layer.stateless_call([a[f"dice{n}_alpha"]], moving, hidden)[0]
        else:
            hidden = tf.nn.relu(hidden)
    return (tf.matmul(hidden, a["h3"]) + a["d3"])[:, 0]


CASES = {
    "din_attention": Case(din_attention, {name: (f"out_interest_{name}",) for name in ("softmax", "none")}),
    "dice": Case(dice, {"train": ("out_train",), "infer": ("out_infer",), "masked": ("out_masked_train",)}),
    "dien": Case(dien, {gate: (f"out_loss_{gate}",) for gate in ("paper", "reference")}),
}
