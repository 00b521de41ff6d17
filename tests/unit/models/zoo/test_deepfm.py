"""DeepFM is a factorisation machine with a network beside."""

from __future__ import annotations

import pytest

from tests.unit.models.zoo.field_models import WHOLE, built, inputs, logits


def test_what_the_network_makes_of_the_fields_is_added_to_the_machine() -> None:
    given = inputs(2, 0.5, user=[2.0], hour=[3.0], ad=[5.0, 7.0], price=[1.0, 2.0], clicks=[4.0, 6.0])
    model = built("deepfm", WHOLE, units=[])
    model(given)
    kernel = [[0.0]] * 6 + [[1.0], [0.0], [0.0], [0.0], [0.01], [0.0]]
    model.tower.kernel.assign(kernel)  # the ad's first value, and a hundredth of its first product with the clicks
    assert logits(model, given) == pytest.approx([1.5 + 2 * (31 + 50) + 5.25, 1.5 + 2 * (31 + 70) + 7.35])


def test_options_of_a_network_without_layers_are_idle() -> None:
    assert built("deepfm", WHOLE, units=[]).idle_options().keys() >= {"activation", "dropout"}
