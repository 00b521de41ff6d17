"""DCN-V2's crosses of values side by side."""

from __future__ import annotations

from tests.unit.models.zoo.field_models import ROWS, built, inputs, logits


def test_each_layer_of_crosses_multiplies_once_more() -> None:
    model, given = built("dcn_v2", ROWS, units=[], cross_layers=2), inputs(user=[2.0], hour=[3.0])
    model(given)
    for cross in model.crosses:
        cross.kernel.assign([[0.0, 0.0], [1.0, 0.0]])
    model.head.kernel.assign([[1.0], [0.0]])
    # (2, 3) · (3, 0) + (2, 3) = (8, 3), and the same again: (2, 3) · (3, 0) + (8, 3)
    assert logits(model, given) == [14.0]


def test_a_rank_makes_two_matrices_of_one() -> None:
    model = built("dcn_v2", ROWS, units=[], cross_layers=1, rank=1)
    model(inputs(user=[2.0], hour=[3.0]))
    assert sorted(weight.path.rpartition("/")[2] for weight in model.crosses[0].weights) == ["bias", "down", "up"]
