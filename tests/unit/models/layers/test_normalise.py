from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.layers.normalise import (
    BOUND,
    COUNT,
    HIGHEST,
    LOWEST,
    MEAN,
    SQUARES,
    Normalise,
    logged,
    no_statistics,
)
from tests.unit.models.layers.past_days import add_statistics

DAY = np.array([[1.0, np.nan], [3.0, 10.0], [5.0, np.inf]], np.float32)


def test_statistics_of_a_day_leave_missing_values_out() -> None:
    statistics = add_statistics(no_statistics(2), DAY)
    assert statistics[COUNT].tolist() == [3.0, 1.0]
    assert statistics[MEAN].tolist() == [3.0, 10.0]
    assert statistics[SQUARES].tolist() == [8.0, 0.0]
    assert statistics[LOWEST].tolist() == [1.0, 10.0]
    assert statistics[HIGHEST].tolist() == [5.0, 10.0]


def test_a_day_without_values_changes_nothing() -> None:
    statistics = add_statistics(no_statistics(2), DAY)
    np.testing.assert_array_equal(add_statistics(statistics, np.full((4, 2), np.nan, np.float32)), statistics)
    np.testing.assert_array_equal(add_statistics(statistics, np.zeros((0, 2), np.float32)), statistics)


@settings(max_examples=50, deadline=None)
@given(st.lists(arrays(np.float32, (4, 1), elements=st.floats(-1000, 1000, width=32)), min_size=1, max_size=5))
def test_days_added_one_by_one_equal_all_at_once(days: list[np.ndarray]) -> None:
    statistics = no_statistics(1)
    for day in days:
        statistics = add_statistics(statistics, day)
    every = np.concatenate(days).astype(np.float64)
    np.testing.assert_allclose(statistics[MEAN], every.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(statistics[SQUARES] / len(every), every.var(axis=0), atol=1e-3)
    assert (statistics[LOWEST], statistics[HIGHEST]) == (every.min(), every.max())


def test_without_statistics_every_value_is_zero() -> None:
    assert Normalise(2, "zscore", name="n")(DAY).numpy().tolist() == [[0.0, 0.0]] * 3


def test_zscore_and_minmax_by_hand() -> None:
    past = add_statistics(no_statistics(1), np.array([[0.0], [2.0], [4.0]], np.float32))
    zscore, minmax = Normalise(1, "zscore", name="z"), Normalise(1, "minmax", name="m")
    zscore.set_statistics(past)
    minmax.set_statistics(past)
    values = np.array([[2.0], [4.0], [np.nan], [1e30], [-np.inf]], np.float32)
    spread = np.sqrt(8.0 / 3.0)
    np.testing.assert_allclose(zscore(values).numpy()[:, 0], [0.0, 2.0 / spread, 0.0, BOUND, 0.0], rtol=1e-6)
    np.testing.assert_allclose(minmax(values).numpy()[:, 0], [0.5, 1.0, 0.0, BOUND, 0.0], rtol=1e-6)


def test_a_constant_column_is_zero_not_infinite() -> None:
    past = add_statistics(no_statistics(1), np.full((9, 1), 0.1, np.float32))
    layer = Normalise(1, "zscore", name="z")
    layer.set_statistics(past)
    assert layer(np.array([[0.1], [5.0]], np.float32)).numpy().tolist() == [[0.0], [0.0]]


def test_none_keeps_the_value_and_fills_what_is_missing() -> None:
    out = Normalise(2, "none", name="n")(DAY).numpy()
    assert out.tolist() == [[1.0, 0.0], [3.0, 10.0], [5.0, 0.0]]


def test_logarithms_are_what_is_normalised() -> None:
    counts = np.array([[0.0], [np.e - 1], [-(np.e**2 - 1)], [np.nan], [np.inf]], np.float32)
    np.testing.assert_allclose(logged(counts)[:3, 0], [0.0, 1.0, -2.0], rtol=1e-6)
    assert np.isnan(logged(counts)[3, 0])
    plain = Normalise(1, "none", log=True, name="p")(counts).numpy()
    np.testing.assert_allclose(plain[:, 0], [0.0, 1.0, -2.0, 0.0, 0.0], rtol=1e-6)
    layer = Normalise(1, "minmax", log=True, name="m")
    layer.set_statistics(add_statistics(no_statistics(1), logged(counts)))
    # From −2 to 1: 0 is two thirds of the way.
    np.testing.assert_allclose(layer(counts).numpy()[:, 0], [2 / 3, 1.0, 0.0, 0.0, 0.0], rtol=1e-6)


def test_a_flag_tells_a_missing_value_from_the_mean_one() -> None:
    layer = Normalise(2, "zscore", flag=True, name="f")
    layer.set_statistics(add_statistics(no_statistics(2), np.array([[1.0, 5.0], [3.0, 7.0]], np.float32)))
    found = layer(np.array([[2.0, np.nan], [3.0, 5.0]], np.float32)).numpy()
    assert found.tolist() == [[0.0, 0.0, 0.0, 1.0], [1.0, -1.0, 0.0, 0.0]]
    pairs = layer(np.full((3, 4, 2), np.nan, np.float32)).numpy()
    assert pairs.shape == (3, 4, 4)
    assert pairs[..., 2:].all()


def test_another_method_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'log'.*none, zscore, minmax"):
        Normalise(1, "log", name="n")
