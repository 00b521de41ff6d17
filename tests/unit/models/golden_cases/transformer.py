"""Self-attention over steps, with a target in the last place or without."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from models.layers.pooling import pool
from models.layers.positions import AddPositions
from models.layers.transformer_block import TransformerBlock
from tests.unit.models.golden_cases.case import Arrays, Case, asked


def bst(a: Arrays) -> Mapping[str, tf.Tensor]:
    x = tf.concat([a["history"], a["target"][:, None]], axis=1)
    mask = np.concatenate([a["mask"], np.ones((len(a["mask"]), 1), bool)], axis=1)
    names = {
        "query/kernel": "wq", "query/bias": "bq", "key/kernel": "wk", "key/bias": "bk",
        "value/kernel": "wv", "value/bias": "bv", "output/kernel": "wo", "output/bias": "bo",
        "norm_1/gamma": "ln1_gamma", "norm_1/beta": "ln1_beta", "norm_2/gamma": "ln2_gamma", "norm_2/beta": "ln2_beta",
        "hidden/kernel": "f1", "hidden/bias": "g1", "out/kernel": "f2", "out/bias": "g2",
    }  # fmt: skip

    def block(which: int, steps: tf.Tensor, real: np.ndarray, norm: str = "post", **settings: bool) -> tf.Tensor:
        layer = TransformerBlock(int(a["heads"]), int(a["f1"].shape[-1]), norm, name="block")
        weights = {f"block_{name}": a[array][which] for name, array in names.items()}
        return asked(layer, weights, steps, real, **settings)

    places = tf.broadcast_to(tf.range(x.shape[1]), x.shape[:2])
    learnt = AddPositions("learnt", name="positions")
    learnt(x, a["position_ids"])
    table = tf.pad(a["position_table"], [[0, int(learnt.table.shape[0]) - len(a["position_table"])], [0, 0]])
    beside = tf.gather(a["position_narrow"], a["position_ids"])
    narrow = tf.concat([x[..., : -beside.shape[-1]], beside], axis=-1)
    none = block(0, x, mask)
    history = block(0, a["history"], a["mask"])
    return {
        "out_none": none,
        "out_two_blocks": block(1, none, mask),
        "out_sinusoid": block(0, AddPositions("sinusoid", name="positions")(x, places), mask),
        "out_learnt": block(0, asked(learnt, {"table": table}, x, a["position_ids"]), mask),
        "out_concat": block(0, narrow, mask),
        "alt_prenorm": block(0, x, mask, "pre"),
        "out_target": block(0, x, mask, last_alone=True)[:, 0],
        "out_mean": pool(none, tf.constant(mask), "mean"),
        "out_flat": tf.reshape(none, (len(mask), -1)),
        "out_history_only": history,
        "out_history_mean": pool(history, tf.constant(a["mask"]), "mean"),
    }


CASES = {"bst": Case(bst, {name: (f"out_{name}",) for name in ("target", "learnt", "two_blocks")})}
