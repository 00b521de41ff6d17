"""Golden numbers of trees, and of a regression over their leaves, as an exported model walks them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from models.export.trees import leaves_of, said
from models.forest import Forest
from tests.unit.models.golden_cases.case import Arrays, Case


def gbdt_lr(arrays: Arrays) -> Mapping[str, tf.Tensor]:
    forest = Forest.read(str(arrays["lightgbm_model"]))
    trees = {name: tf.constant(values) for name, values in forest.tensors.items()}
    leaves = leaves_of(trees, arrays["x"])
    by_leaf = np.zeros(forest.value.shape)
    by_leaf[np.arange(by_leaf.shape[1]) < forest.leaves[:, None]] = arrays["lr_weight"].numpy()
    return {
        "out_leaf": leaves,
        "out_one_hot": tf.concat([tf.one_hot(leaves[:, t], int(n)) for t, n in enumerate(forest.leaves)], axis=1),
        "out_gbdt_raw": said(trees, leaves),
        "out_lr_logit": said({**trees, "value": tf.constant(by_leaf)}, leaves)
        + tf.cast(arrays["lr_bias"], tf.float64),
    }


CASES = {"gbdt_lr": Case(gbdt_lr)}
