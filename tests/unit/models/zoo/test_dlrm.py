"""DLRM multiplies vectors, one of which a network makes of the dense values."""

from __future__ import annotations

import pytest

from models.schema import FeatureSchema
from tests.unit.models.zoo.field_models import ROWS, SPACES, USER, WHOLE, built, inputs, logits


def test_the_network_on_top_reads_the_dense_vector_the_products_and_what_is_beside() -> None:
    given = inputs(user=[2.0], hour=[3.0], ad=[5.0, 7.0], price=[1.0, 2.0], clicks=[4.0, 6.0])
    model = built("dlrm", WHOLE, units=[], bottom_units=[1])
    model(given)
    for weight in (*model.bottom.weights, *model.bottom_end.weights, *model.tower.weights):
        weight.assign(0 * weight)
    model.bottom_end.bias.assign([0.5])
    names = [name for name, _ in model.tower.reads]
    assert names == [
        "dense", "dense . user", "dense . hour", "hour . user", "dense . pooled of clicks", "pooled of clicks . user",
        "hour . pooled of clicks", "ad . dense", "ad . user", "ad . hour", "ad . pooled of clicks", "clicks * ad",
    ]  # fmt: skip
    for name, expected in (("dense", [0.5, 0.5]), ("ad . dense", [2.5, 3.5]), ("clicks * ad", [25.0, 35.0])):
        model.tower.kernel.assign([[float(each == name)] for each in names])
        assert logits(model, given) == expected


def test_without_dense_values_there_is_no_network_below() -> None:
    with pytest.raises(ValueError, match="option 'bottom_units' would have no effect: there is no dense feature"):
        built("dlrm", ROWS, bottom_units=[8])
    model = built("dlrm", ROWS, units=[], with_self=True)
    model(inputs(user=[2.0], hour=[3.0]))
    model.tower.kernel.assign([[1.0], [10.0], [100.0]])
    assert logits(model, inputs(user=[2.0], hour=[3.0])) == [964.0]


def test_one_vector_has_no_product_but_with_itself() -> None:
    alone = FeatureSchema((USER,), SPACES)
    with pytest.raises(ValueError, match="'dlrm' needs two vectors at least, got that of 'user' alone"):
        built("dlrm", alone, units=[])(inputs(user=[2.0]))
    model = built("dlrm", alone, units=[], with_self=True)
    model(inputs(user=[2.0]))
    model.tower.kernel.assign([[3.0]])
    assert logits(model, inputs(user=[2.0])) == [12.0]
