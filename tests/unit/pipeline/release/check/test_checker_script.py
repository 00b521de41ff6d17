"""What the clean process computes of two sets of scores."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.release.check.checker_script import compared, spread

NAN = float("nan")


def scores(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_the_largest_difference_absolute_and_relative_to_at_least_one() -> None:
    # |0.5 − 0.25| = 0.25, of a value below 1; |8 − 10| = 2, a fifth of 10; where nothing is expected nothing counts.
    absolute, relative, rows = compared(scores([0.5, 8.0], [7.0, -3.0]), scores([0.25, 10.0], [NAN, -3.0]))
    assert (absolute, relative, rows) == (2.0, 0.25, 3)


def test_a_score_that_is_no_number_differs_infinitely() -> None:
    assert compared(scores([NAN, 1.0]), scores([1.0, 1.0])) == (np.inf, np.inf, 2)


def test_nothing_to_compare_is_told_by_its_count() -> None:
    assert compared(scores([1.0]), scores([NAN])) == (0.0, 0.0, 0)


def test_the_spread_is_the_standard_deviation_of_what_there_is() -> None:
    assert spread(scores([1.0, NAN, 3.0])) == 1.0
    assert spread(scores([NAN])) == 0.0
    # In float64: a mean of many large scores loses nothing.
    assert spread(np.full(100_000, 1e4, np.float32)) == pytest.approx(0.0, abs=1e-6)
