"""A network, and beside it a linear part that may read features of its own."""

from __future__ import annotations

import pytest

from tests.unit.models.zoo.field_models import WHOLE, built, inputs, logits

DIMS = {"user": 4, "hour": 2, "ad": 4}


def test_what_is_wide_is_in_no_table_of_vectors() -> None:
    model = built("wide_deep", WHOLE, wide=["hour"])
    names = [table.name for table in model.tables(DIMS)]
    assert names == ["ad", "user", "linear.ad", "linear.hour", "linear.user"]
    given = inputs(linear=0.5, user=[2.0], hour=[3.0], ad=[5.0], price=[1.0], clicks=[4.0])
    given.vectors.pop("hour")
    model(given)
    assert [name for name, _ in model.tower.reads] == ["user", "pooled of clicks", "price", "ad", "clicks * ad"]
    for weight in model.tower.weights:
        weight.assign(0 * weight)
    assert logits(model, given) == [1.5]


def test_a_target_of_a_history_or_what_has_no_ids_cannot_be_wide_alone() -> None:
    for name in ("ad", "price", "nothing"):
        with pytest.raises(ValueError, match=f"option 'wide': '{name}' is no feature .* those are: user, hour"):
            built("wide_deep", WHOLE, wide=[name])
