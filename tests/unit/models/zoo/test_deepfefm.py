"""DeepFEFM adds up pairs, which its network reads too."""

from __future__ import annotations

import pytest

from models.schema import FeatureSchema
from tests.unit.models.zoo.field_models import ROWS, SPACES, USER, built, inputs, logits


def test_the_pairs_are_added_to_the_linear_part_and_read_by_the_network() -> None:
    given = inputs(linear=0.5, user=[2.0], hour=[3.0])
    model = built("deepfefm", ROWS, units=[])
    model(given)
    assert [name for name, _ in model.tower.reads] == ["user", "hour", "pair hour * user"]
    model.pairs.kernel.assign([[[0.5]]])
    model.tower.kernel.assign([[0.0], [0.0], [10.0]])
    assert logits(model, given) == [1.0 + 6.0 + 60.0]


def test_one_field_has_no_pair() -> None:
    model = built("deepfefm", FeatureSchema((USER,), SPACES), units=[])
    with pytest.raises(ValueError, match="'deepfefm' needs two fields at least, got 'user' alone"):
        model(inputs(user=[2.0]))
