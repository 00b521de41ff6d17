"""The field-aware factorisation machine: its tables, and which vector meets which."""

from __future__ import annotations

import pytest
import tensorflow as tf

from models.inputs import ModelInputs
from tests.unit.models.zoo.field_models import ROWS, WHOLE, built, inputs, logits


def test_a_table_has_a_vector_for_each_field() -> None:
    model = built("ffm", WHOLE)
    slots = ("user", "hour", "ad", "price", "pooled of clicks")
    assert model.slots == slots
    tables = {table.name: table for table in model.tables({"user": 2, "hour": 2, "ad": 2})}
    assert sorted(tables) == ["ad", "aware.ad", "aware.hour", "aware.user", "linear.ad", "linear.hour", "linear.user"]
    assert (tables["ad"].width, tables["ad"].features) == (2, ("ad", "clicks"))
    assert tables["aware.ad"].width == 10
    assert tables["aware.ad"].features == ("ad",)
    assert tables["aware.ad"].columns == tuple((name, 2) for name in slots)
    with pytest.raises(ValueError, match="'ffm' sees fields of one width"):
        model.tables({"user": 2, "hour": 2, "ad": 3})


def test_features_histories_and_dense_values_have_vectors_for_each_other() -> None:
    given = inputs(user=[0.0], hour=[0.0], ad=[1.0], price=[2.0], clicks=[4.0, 6.0])
    aware = {
        "user": tf.constant([[0.0, 2.0, 3.0, 5.0, 7.0]]), "hour": tf.constant([[11.0, 0.0, 13.0, 0.0, 0.0]]),
        "ad": tf.constant([[[17.0, 19.0, 0.0, 0.0, 0.0]]]),
    }  # fmt: skip
    linear = {name: tf.zeros((*each.shape[:-1], 1)) for name, each in aware.items()}
    given = given._replace(roles={"aware": aware, "linear": linear})
    model = built("ffm", WHOLE)
    of_ids = 2.0 * 11.0 + 3.0 * 17.0 + 13.0 * 19.0
    assert logits(model, given) == [of_ids]
    # The vectors of the clicks (5 as they are read) and of the price for the user; rows of a kernel: clicks, price.
    assert model.value_vectors.kernel.shape == (2, 5)
    model.value_vectors.kernel.assign([[1.0, 0.0, 0.0, 0.0, 0.0], [10.0, 0.0, 0.0, 0.0, 0.0]])
    assert logits(model, given) == [of_ids + 7.0 * 5.0 + 5.0 * 20.0]


def test_rows_without_candidates_are_scored() -> None:
    aware = {"user": tf.constant([[0.0, 2.0]]), "hour": tf.constant([[3.0, 0.0]])}
    linear = {name: tf.ones((1, 1)) for name in aware}
    assert logits(built("ffm", ROWS), ModelInputs({}, {}, {}, {"aware": aware, "linear": linear})) == [8.0]
