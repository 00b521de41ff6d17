from __future__ import annotations

import numpy as np
import pytest

from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import MISSING, Codes
from pipeline.features.state.latest import LatestTable

DAY = Day.of(2024, 3, 1)
NAN = np.nan


def keys(*pairs: tuple[int, int]) -> tuple[Codes, Codes]:
    return np.array([owner for owner, _ in pairs]), np.array([section for _, section in pairs])


def test_means_over_the_sections_that_have_values() -> None:
    table = LatestTable.empty(2)
    table = table.apply(keys((5, 2), (5, 3)), np.float32([[1, 2], [100, 100]]), DAY)
    table = table.apply(keys((5, 3), (5, 3), (6, 2)), np.float32([[9, 9], [3, NAN], [8, 8]]), DAY.next())
    sections = Lists.of([[2, 3, 4], [4], [], [2], [3]], np.int64)
    means = table.means(np.int64([5, 5, 5, 6, 5]), sections)
    # Section 3 was last reported as (3, missing); section 4 never.
    expected = [[2, 2, 2], [NAN, NAN, 0], [NAN, NAN, 0], [8, 8, 1], [3, NAN, 1]]
    np.testing.assert_array_equal(means, np.float32(expected))


def test_unknown_owners_and_sections_have_no_values() -> None:
    table = LatestTable.empty(1).apply(keys((MISSING, 2), (5, MISSING)), np.float32([[1], [1]]), DAY)
    assert table.means(np.array([MISSING, 5]), Lists.of([[2], [MISSING]], np.int64))[:, -1].tolist() == [0, 0]
    assert LatestTable.empty(1).means(np.zeros(0, np.int64), Lists.of([], np.int64)).shape == (0, 2)


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(DataError, match="newest values of 2024-03-01: 3 a row, but the job declares 2"):
        LatestTable.empty(2).apply(keys((2, 2)), np.zeros((1, 3), np.float32), DAY)
