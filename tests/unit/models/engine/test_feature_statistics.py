from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.engine.feature_statistics import Observed
from models.engine.view import View
from models.layers.normalise import HIGHEST, LOWEST, MEAN, Normalise
from models.schema import Feature, FeatureSchema, Kind, Layout, Side
from tests.unit.models.school import make_day

SCHEMA = FeatureSchema(
    (
        Feature("study", Kind.DENSE, Side.REQUEST, size=2, normalise="minmax"),
        Feature("as_it_is", Kind.DENSE, Side.REQUEST),
    )
)
VIEW = View.of(SCHEMA, (), Layout.of(SCHEMA, {}))


def test_days_add_up_and_the_layer_follows() -> None:
    layer = Normalise(2, "minmax", name="n")
    observed = Observed(SCHEMA, {"study": layer, "as_it_is": Normalise(1, "none", name="o")})
    day = make_day(SCHEMA, requests=2)
    for values in ([[0, 10, 5], [2, 20, 5]], [[4, 30, 5], [2, np.nan, 5]]):
        assert observed.add(VIEW, replace(day, request_dense=np.asarray(values, np.float32))) == {}
    state = observed.state()
    assert state.keys() == {"normalise/study"}
    study = state["normalise/study"]
    assert study[[MEAN, LOWEST, HIGHEST]].tolist() == [[2, 20], [0, 10], [4, 30]]
    assert layer(np.asarray([[1.0, 30.0]], np.float32)).numpy().tolist() == [[0.25, pytest.approx(1.0)]]

    other = Observed(SCHEMA, {"study": layer, "as_it_is": Normalise(1, "none", name="o")})
    other.load({"normalise/study": np.zeros((5, 2))})
    assert not layer(np.ones((1, 2), np.float32)).numpy().any()
    other.load(state)
    np.testing.assert_array_equal(other.state()["normalise/study"], study)
