from __future__ import annotations

import numpy as np
import pytest

from pipeline.features.moments import Moments


def test_two_days_are_as_one() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal([1e6, 3], [2, 5], (500, 2)).astype(np.float32)
    rows[::7, 0] = np.nan
    both = Moments.empty(2).merged(Moments.of(rows[:180])).merged(Moments.of(rows[180:]))
    exact = rows.astype(np.float64)
    assert both.count.tolist() == [500 - 72, 500]
    assert both.mean == pytest.approx(np.nanmean(exact, axis=0), rel=1e-12)
    assert both.std == pytest.approx(np.nanstd(exact, axis=0), rel=1e-9)
    assert both.low.tolist() == np.nanmin(exact, axis=0).tolist()
    assert both.high.tolist() == np.nanmax(exact, axis=0).tolist()


def test_by_hand_and_without_values() -> None:
    some = Moments.of(np.float32([[1, np.nan], [3, np.nan]]))
    assert (some.count.tolist(), some.mean.tolist(), some.std.tolist()) == ([2, 0], [2, 0], [1, 0])
    same = some.merged(Moments.of(np.zeros((0, 2), np.float32)))
    assert all(np.array_equal(array, same.arrays()[name]) for name, array in some.arrays().items())
