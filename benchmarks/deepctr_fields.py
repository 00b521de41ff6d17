"""The models of interactions as libraries have them, trained day by day: a program for an environment of its own.

DeepCTR's, of its own layers where it has no model of that name (`lr`, `fm`); for `dlrm`, which it lacks, TensorFlow
Recommenders'. What a network has no option for stays at their defaults; no penalties. ``benchmarks.deepctr_days``
writes what the program reads and judges what it answers.
"""

from __future__ import annotations

from benchmarks.deepctr_protocol import COLUMNS, DAYS

MODELS = ("lr", "fm", "deepfm", "dcn_v2", "xdeepfm", "dlrm")

PROGRAM = """
import json, sys
from pathlib import Path

import numpy as np
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(2)
tf.config.threading.set_inter_op_parallelism_threads(2)

import tensorflow_recommenders as tfrs
from deepctr.feature_column import (
    DenseFeat, SparseFeat, VarLenSparseFeat, build_input_features, get_linear_logit, input_from_feature_columns,
)
from deepctr.layers.core import PredictionLayer
from deepctr.layers.interaction import FM
from deepctr.layers.utils import add_func, concat_func
from deepctr.models import DCN, DeepFM, xDeepFM

""" + COLUMNS + """
options = told["options"]
tf.keras.utils.set_random_seed(told["seed"])
plain = {"l2_reg_linear": 0.0, "l2_reg_embedding": 0.0, "seed": told["seed"]}


def of_layers(second_order):
    inputs = build_input_features(columns)
    logits = [get_linear_logit(inputs, columns, l2_reg=0.0, seed=told["seed"])]
    if second_order:
        vectors, _ = input_from_feature_columns(inputs, columns, 0.0, told["seed"])
        logits.append(FM()(concat_func(vectors, axis=1)))
    return tf.keras.Model(list(inputs.values()), PredictionLayer("binary")(add_func(logits)))


class Vectors(tf.keras.layers.Layer):
    def __init__(self):
        super().__init__()
        ids = [each for each in told["columns"] if each["kind"] == "ids"]
        self.ids = {each["name"]: each for each in ids}
        self.of = {each["space"]: tf.keras.layers.Embedding(each["size"], each["dim"]) for each in ids}

    def call(self, given):
        found = {}
        for name, values in given.items():
            vectors = self.of[self.ids[name]["space"]](values)
            if self.ids[name]["length"]:
                real = tf.cast(values > 0, tf.float32)[:, :, None]
                vectors = tf.reduce_sum(vectors * real, 1) / tf.maximum(tf.reduce_sum(real, 1), 1.0)
            found[name] = vectors
        return found


def dlrm():
    inputs = build_input_features(columns)
    of_ids = {each["name"]: tf.reshape(inputs[each["name"]], (-1, each["width"]) if each["length"] else (-1,))
              for each in told["columns"] if each["kind"] == "ids"}
    dense = concat_func([inputs[each["name"]] for each in told["columns"] if each["kind"] == "dense"])
    wide = next(each["dim"] for each in told["columns"] if each["kind"] == "ids")
    blocks = tfrs.layers.blocks.MLP
    ranking = tfrs.experimental.models.Ranking(
        Vectors(), blocks([*options.get("bottom_units", [64]), wide], final_activation="relu"),
        tfrs.layers.feature_interaction.DotInteraction(), blocks([*told["units"], 1], final_activation="sigmoid"))
    answer = ranking({"dense_features": dense, "sparse_features": of_ids})
    return tf.keras.Model(list(inputs.values()), tf.reshape(answer, (-1, 1)))


made = {
    "lr": lambda: of_layers(False), "fm": lambda: of_layers(True),
    "deepfm": lambda: DeepFM(columns, columns, dnn_hidden_units=told["units"], **plain),
    "dcn_v2": lambda: DCN(columns, columns, options.get("cross_layers", 3), "matrix", told["units"], l2_reg_cross=0.0,
                          **plain),
    "xdeepfm": lambda: xDeepFM(columns, columns, told["units"], **plain),
    "dlrm": dlrm,
}
model = made[told["model"]]()
model.compile(tf.keras.optimizers.Adam(told["rate"]), "binary_crossentropy")
""" + DAYS
