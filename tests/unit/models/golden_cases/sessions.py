"""Self-attentive pooling, and DSIN stage by stage."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from models.layers.bilinear_attention import BilinearAttention
from models.layers.lstm import BidirectionalLSTM
from models.layers.pooling import pool
from models.layers.self_attentive_pooling import SelfAttentivePooling
from models.layers.session_bias import SessionBias
from models.layers.transformer_block import TransformerBlock
from tests.unit.models.golden_cases.attention import network
from tests.unit.models.golden_cases.case import Arrays, Case, asked


class Weights(SelfAttentivePooling):
    """What the pooling weighs with."""

    def call(self, steps: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return tf.stack(tf.unstack(self.weigh(steps, mask), axis=-1), axis=1)


def self_attentive_pooling(a: Arrays) -> Mapping[str, tf.Tensor]:
    weights = {"pool_hidden/kernel": a["w1"], "pool_hidden/bias": a["b1"], "pool_scores/kernel": a["w2"]}
    return {
        name: asked(layer(len(a["b1"]), a["w2"].shape[1], name="pool"), weights, a["x"], a["mask"])
        for name, layer in (("out_pooled", SelfAttentivePooling), ("out_weights", Weights))
    }


def dsin(a: Arrays) -> Mapping[str, tf.Tensor]:
    batch, sessions, length, dim = a["sessions"].shape
    biases = {name: a[f"bias_{name}"] for name in ("session", "position", "unit")}
    encoded = asked(SessionBias(name="bias"), biases, a["sessions"], a["mask"])
    names = {
        "query/kernel": "wq", "key/kernel": "wk", "value/kernel": "wv", "output/kernel": "wo",
        "norm_1/gamma": "ln1_gamma", "norm_1/beta": "ln1_beta", "norm_2/gamma": "ln2_gamma", "norm_2/beta": "ln2_beta",
        "hidden/kernel": "f1", "hidden/bias": "g1", "out/kernel": "f2", "out/bias": "g2",
    }  # fmt: skip
    block = TransformerBlock(int(a["heads"]), len(a["g1"]), activation="relu", bias=False, name="block")
    mask = a["mask"].reshape(-1, length)
    of_block = {f"block_{name}": a[array] for name, array in names.items()}
    seen = asked(block, of_block, tf.reshape(encoded, (-1, length, dim)), mask)
    told = tf.reshape(pool(seen, tf.constant(mask), "mean"), (batch, sessions, dim))
    present = tf.constant(a["mask"].any(axis=2))
    ways = {
        f"lstm_{way}/lstm_cell/{part}": a[f"lstm_{short}_{part}"]
        for way, short in (("forwards", "fw"), ("backwards", "bw"))
        for part in ("kernel", "recurrent_kernel", "bias")
    }
    forwards, backwards = asked(BidirectionalLSTM(None, name="lstm"), ways, told, present)
    found = {
        "out_encoded": encoded,
        "out_session": told,
        "out_present": present,
        "out_lstm_concat": tf.concat([forwards, backwards], axis=-1),
        "out_lstm_ave": (forwards + backwards) / 2.0,
    }
    target = a["target"][:, None]
    contexts = {"bilinear": found["out_lstm_concat"], "mlp": found["out_lstm_ave"]}
    for part in ("interest", "context"):
        for kind, context in contexts.items():
            steps = told if part == "interest" else context
            if kind == "bilinear":
                weights = {"kernel": a[f"bilinear_{part}"]}
                out = asked(BilinearAttention(name="bilinear"), weights, target, steps, present)
            else:
                layer, weights = network(a, "softmax", f"{part}_")
                out = asked(layer, weights, target, steps, present)[1]
            found[f"out_{part}_{kind}"] = out[:, 0]
    return found


CASES = {
    "self_attentive_pooling": Case(self_attentive_pooling, {"": ("out_pooled",)}),
    "dsin": Case(dsin, {kind: (f"out_interest_{kind}", f"out_context_{kind}") for kind in ("bilinear", "mlp")}),
}
