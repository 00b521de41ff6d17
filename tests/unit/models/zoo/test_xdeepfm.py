"""xDeepFM adds up a linear part, compressed interactions and a network."""

from __future__ import annotations

import pytest

from tests.unit.models.zoo.field_models import WHOLE, built, inputs, logits


def test_compressed_interactions_are_of_all_fields_and_added_to_the_rest() -> None:
    given = inputs(1, 0.5, user=[2.0], hour=[3.0], ad=[5.0, 7.0], price=[1.0, 2.0], clicks=[4.0, 6.0])
    model = built("xdeepfm", WHOLE, units=[], maps=[1])
    model(given)
    for weight in (*model.tower.weights, *model.cin.weights):
        weight.assign(0 * weight)
    kernel = model.cin.layers[0].kernel
    assert kernel.shape == (1, 5, 5)
    none = [0.0] * 5
    kernel.assign([[[0.0, 1.0, 0.0, 0.0, 0.0], none, none, [1.0, 0.0, 0.0, 0.0, 0.0], none]])
    model.cin_head.kernel.assign([[10.0]])
    # user · hour + ad · user
    assert logits(model, given) == [1.5 + 10 * (6 + 10), 1.5 + 10 * (6 + 14)]


def test_one_layer_has_nothing_to_halve() -> None:
    with pytest.raises(ValueError, match="option 'split_half' would have no effect"):
        built("xdeepfm", WHOLE, maps=[2], split_half=False)
