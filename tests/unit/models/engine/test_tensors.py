from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.engine.tensors import model_inputs, one_empty_request
from models.engine.view import View
from models.schema import Feature, FeatureSchema, Kind, Layout, Side
from models.tables import Fused, TableSpec, one_per_space

SCHEMA = FeatureSchema(
    (
        Feature("user", Kind.CATEGORICAL, Side.REQUEST, "user"),
        Feature("days", Kind.BAG_SEQUENCE, Side.REQUEST, "user", steps=2, values=2),
        Feature("ad", Kind.CATEGORICAL, Side.ITEM, "ad"),
        Feature("age", Kind.DENSE, Side.REQUEST, size=2),
        Feature("seen", Kind.DENSE, Side.PAIR),
    ),
    {"user": "int", "ad": "int"},
)
VIEW = View.of(SCHEMA, one_per_space(SCHEMA, {"user": 1, "ad": 2}), Layout.of(SCHEMA, {}))
TABLES = {
    Fused(1): tf.constant([[0.0], [10.0], [20.0]]), Fused(2): tf.constant([[0.0, 0.0], [1.0, -1.0], [2.0, -2.0]]),
}  # fmt: skip


def test_buffers_are_taken_apart_by_feature() -> None:
    """One request with two candidates: its user and four values of two days, then an ad each; floats as they come."""
    rows = tf.constant([2, 1, 0, 0, 2, 1, 2])
    found = model_inputs(VIEW, (1, 2), rows, tf.constant([3.0, 4.0, 5.0, 6.0]), TABLES)
    vectors = {name: value.numpy().tolist() for name, value in found.vectors.items()}
    assert vectors == {
        "user": [[20.0]], "days": [[[[10.0], [0.0]], [[0.0], [20.0]]]], "ad": [[[1.0, -1.0], [2.0, -2.0]]],
    }  # fmt: skip
    mask = {name: value.numpy().tolist() for name, value in found.mask.items()}
    assert mask == {"user": [True], "days": [[[True, False], [False, True]]], "ad": [[True, True]]}
    dense = {name: value.numpy().tolist() for name, value in found.dense.items()}
    assert dense == {"age": [[3.0, 4.0]], "seen": [[[5.0], [6.0]]]}


def test_a_model_is_built_from_one_request_of_padding() -> None:
    found = one_empty_request(VIEW)
    assert found.vectors["days"].shape == (1, 2, 2, 1)
    assert found.vectors["ad"].shape == (1, 1, 2)
    assert found.dense["seen"].shape == (1, 1, 1)
    assert not any(np.any(value) for value in (*found.vectors.values(), *found.mask.values()))


def test_a_model_without_floats_reads_an_empty_buffer() -> None:
    schema = SCHEMA.subset({"user", "ad"})
    view = View.of(schema, one_per_space(schema, {"user": 1, "ad": 2}), Layout.of(schema, {}))
    found = model_inputs(view, (1, 1), tf.constant([1, 2]), tf.zeros(0), TABLES)
    assert (found.vectors["ad"].numpy().tolist(), found.dense) == ([[[2.0, -2.0]]], {})


def test_vectors_of_further_tables_are_found_by_role() -> None:
    schema = SCHEMA.subset({"user", "ad"})
    tables = (*one_per_space(schema, {"user": 2, "ad": 2}), TableSpec("linear.ad", "ad", 1, ("ad",), "linear"))
    view = View.of(schema, tables, Layout.of(schema, {}))
    # Of the narrow table the ad's row; of the wide one the user's, then the ad's.
    found = model_inputs(view, (1, 1), tf.constant([2, 1, 0]), tf.zeros(0), TABLES)
    assert {name: value.numpy().tolist() for name, value in found.vectors.items()} == {
        "user": [[1.0, -1.0]], "ad": [[[0.0, 0.0]]]
    }  # fmt: skip
    assert {role: {n: v.numpy().tolist() for n, v in each.items()} for role, each in found.roles.items()} == {
        "linear": {"ad": [[[20.0]]]}
    }
