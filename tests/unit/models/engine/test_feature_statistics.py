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


def test_statistics_of_logarithms_are_not_those_of_values() -> None:
    schema = FeatureSchema((Feature("study", Kind.DENSE, Side.REQUEST, normalise="zscore", log=True),))
    layer = Normalise(1, "zscore", log=True, name="n")
    observed = Observed(schema, {"study": layer})
    day = replace(make_day(schema, requests=2), request_dense=np.array([[0.0], [np.e**2 - 1]], np.float32))
    observed.add(View.of(schema, (), Layout.of(schema, {})), day)
    assert observed.state()["normalise/study.log"][[MEAN, LOWEST, HIGHEST], 0].tolist() == pytest.approx([1.0, 0, 2.0])
    assert layer(np.array([[np.e - 1]], np.float32)).numpy()[0, 0] == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(KeyError, match=r"study\.log"):
        observed.load({"normalise/study": np.zeros((5, 1))})


def test_after_the_first_days_nothing_moves_what_a_number_is_normalised_by() -> None:
    """A day without a number comes first; of the two that count, 1 and 3, the mean is 2 and the deviation 1."""
    feature = Feature("study", Kind.DENSE, Side.REQUEST, normalise="zscore", fixed_days=2, clip=6.0)
    schema = FeatureSchema((feature,))
    layer = Normalise(1, "zscore", clip=6.0, name="n")
    observed, view = Observed(schema, {"study": layer}), View.of(schema, (), Layout.of(schema, {}))
    day, days = make_day(schema, requests=1), []
    for value in (np.nan, 1.0, np.nan, 3.0, 500.0):
        observed.add(view, replace(day, request_dense=np.array([[value]], np.float32)))
        days.append(int(observed.state()["normalise/study.days"]))
    assert days == [0, 1, 1, 2, 2]
    assert observed.state()["normalise/study"][MEAN, 0] == 2
    assert layer(np.array([[1.5], [7.9], [500.0], [-500.0]], np.float32)).numpy().ravel().tolist() == [
        pytest.approx(-0.5), pytest.approx(5.9), 6, -6
    ]  # fmt: skip
    again = Observed(schema, {"study": layer})
    again.load(observed.state())
    again.add(view, replace(day, request_dense=np.array([[9.0]], np.float32)))
    np.testing.assert_array_equal(again.state()["normalise/study"], observed.state()["normalise/study"])
    assert {name: float(each.sum()) for name, each in again.nothing().items()} == dict.fromkeys(observed.state(), 0.0)
