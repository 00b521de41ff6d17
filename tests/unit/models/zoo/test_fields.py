"""Features, histories and dense values as fields, and the linear part."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tensorflow as tf

from models.schema import Feature, FeatureSchema, Kind, Side
from tests.unit.models.zoo.field_models import AD, PRICE, ROWS, USER, WHOLE, built, inputs, logits

GIVEN = inputs(user=[2.0], hour=[3.0], ad=[5.0, 7.0], price=[1.0, 2.0], clicks=[4.0, 6.0])


def test_histories_and_dense_values_are_fields_beside_features() -> None:
    model = built("fm", WHOLE)
    request, item, _ = model.parts(GIVEN, False)
    found = model.fields(request, item, 1)
    assert (found.of_request, found.of_item) == (("user", "hour", "pooled of clicks"), ("ad", "price"))
    assert found.request[0, :, 0].numpy().tolist() == [2.0, 3.0, 5.0]
    assert found.item[0, :, :, 0].numpy().tolist() == [[5.0, 0.0], [7.0, 0.0]]
    model.value_vectors.kernel.assign([[10.0]])
    found = model.fields(request, item, 1)
    assert found.item[0, :, 1, 0].numpy().tolist() == [10.0, 20.0]
    assert found.every()[0, 1, :, 0].numpy().tolist() == [2.0, 3.0, 5.0, 7.0, 20.0]
    # The product of the clicks and the ad is beside the fields: a network reads it.
    assert [[part.reads for part in side] for side in found.beside] == [[], [(("clicks * ad", 1),)]]
    assert found.flat()[1][0].numpy().tolist() == [[5.0, 10.0, 25.0], [7.0, 20.0, 35.0]]


def test_a_history_that_is_read_wider_than_a_field_is_one_field() -> None:
    model = built("fm", WHOLE, product=False, encoders={"clicks": {"type": "gru", "units": 3}})
    request, item, _ = model.parts(GIVEN, False)
    found = model.fields(request, item, 1)
    assert found.of_request == ("user", "hour", "gru of clicks")
    assert model.value_vectors.kernel.shape == (4, 1)


def test_the_linear_part_reads_ids_dense_values_histories_and_products() -> None:
    model = built("lr", WHOLE)
    given = inputs(linear=0.5, user=[2.0], hour=[3.0], ad=[5.0, 7.0], price=[1.0, 2.0], clicks=[4.0, 6.0])
    assert logits(model, given) == [1.5, 1.5]
    assert model.value_weights.reads == (("pooled of clicks", 1), ("price", 1), ("clicks * ad", 1))
    model.value_weights.kernel.assign([[1.0], [10.0], [100.0]])
    model.output_bias.assign([0.25])
    assert logits(model, given) == [1.75 + 5 + 10 + 2500, 1.75 + 5 + 20 + 3500]


def test_tables_of_the_linear_part_have_a_weight_a_task() -> None:
    tables = built("fm", WHOLE, "click", "buy").tables({"user": 4, "hour": 4, "ad": 4})
    told = {table.name: (table.width, table.features, table.first) for table in tables}
    assert told == {
        "ad": (4, ("ad", "clicks"), "drawn"), "hour": (4, ("hour",), "drawn"), "user": (4, ("user",), "drawn"),
        "linear.ad": (2, ("ad",), "zeros"), "linear.hour": (2, ("hour",), "zeros"),
        "linear.user": (2, ("user",), "zeros"),
    }  # fmt: skip


def test_widths_that_differ_are_refused_where_one_is_needed() -> None:
    with pytest.raises(
        ValueError, match=r"'fm' sees fields of one width.*; give `dim` and no `dims`.*: hour 4, user 8"
    ):
        built("fm", ROWS).tables({"user": 8, "hour": 4})
    assert built("wide_deep", ROWS).tables({"user": 8, "hour": 4})


def test_without_ids_nothing_interacts() -> None:
    with pytest.raises(ValueError, match="model 'fm' needs at least one feature with ids"):
        built("fm", FeatureSchema((PRICE,), {}))


def test_several_tasks_have_logits_of_their_own() -> None:
    model = built("deepfm", ROWS, "click", "buy", units=[2])
    given = inputs(user=[2.0], hour=[3.0])
    given = given._replace(roles={"linear": {name: tf.constant([[1.0, 10.0]]) for name in ("user", "hour")}})
    model(given)
    model.tower.output_bias.assign([0.0, 0.0])
    for weight in model.tower.weights:
        weight.assign(tf.zeros_like(weight))
    found = model(given).logits
    assert {name: each.numpy().tolist() for name, each in found.items()} == {"click": [[8.0]], "buy": [[26.0]]}


@pytest.mark.parametrize("pooling", ["sum", "mean"])
def test_weights_of_a_feature_with_several_values_are_pooled_as_its_vectors(pooling: str) -> None:
    tags = Feature("tags", Kind.BAG, Side.REQUEST, "user", values=2)
    model = built("lr", FeatureSchema((tags,), {"user": "int"}), values_pooling=pooling)
    given = inputs(user=[1.0])._replace(
        mask={"tags": tf.constant([[True, True]])}, roles={"linear": {"tags": tf.constant([[[1.0], [3.0]]])}}
    )
    assert logits(model, given) == [4.0 if pooling == "sum" else 2.0]


def test_a_candidate_without_anything_of_the_request_is_scored() -> None:
    assert logits(built("fm", FeatureSchema((AD, replace(PRICE, name="price")), {"ad": "int"})),
                  inputs(linear=1.0, ad=[5.0, 7.0], price=[1.0, 2.0])) == [1.0, 1.0]  # fmt: skip
    assert logits(built("fm", FeatureSchema((USER,), {"user": "int"})), inputs(linear=1.0, user=[5.0])) == [1.0]
