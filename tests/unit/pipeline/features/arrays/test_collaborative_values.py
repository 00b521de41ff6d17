"""Scores of a bag, against those written out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.features.arrays.bag_values import AskedBags
from pipeline.features.arrays.collaborative_values import ContextValues, collaborative_value
from pipeline.features.arrays.fitted_scores import VECTOR, Vectors
from pipeline.features.frames.frame import Lists
from pipeline.features.frames.keyed import Keyed
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.state.bags import BagRule, BagTables

DAY = Day.of(2024, 3, 4)
ALGEBRA, LOGIC, NOWHERE = 10, 20, 30
ANN, NOBODY = 1, 2


def tables() -> BagTables:
    """In algebra 5, 6 and 7 were taken, in logic 8 alone."""
    bags = Lists.of([[5, 6], [7], [8]], np.int64)
    context = np.array([ALGEBRA, ALGEBRA, LOGIC])
    return BagTables.empty(BagRule((), {})).apply({}, context, bags, np.ones(3, np.int8), DAY)


def asked(bags: list[list[int]], request: list[int], context: list[int]) -> AskedBags:
    return AskedBags(np.array(request), np.array(context), Lists.of(bags, np.int64), tables())


def scores(found: AskedBags, owner: Codes, vectors: Vectors) -> NDArray[np.float32]:
    return collaborative_value(found, ContextValues.of(found), owner, vectors)


# Ann's products: 5 → 1, 6 → 2, 7 → 6; mean 3, deviation √(14/3). 9 was never taken, 8 in logic alone.
VECTORS = Vectors(
    Keyed(np.array([ANN]), {VECTOR: np.float32([[1, 2]])}),
    Keyed(np.array([5, 6, 7, 8]), {VECTOR: np.float32([[1, 0], [0, 1], [2, 2], [9, 9]])}),
)
SPREAD = (14 / 3) ** 0.5


def test_scores_are_standard_among_the_values_of_the_context() -> None:
    found = asked([[5], [5, 7], [9], [8], []], [0] * 5, [ALGEBRA] * 5)
    five, seven, none = -2 / SPREAD, 3 / SPREAD, -3 / SPREAD
    expected = [[five, five], [(five + seven) / 2, five], [none, none], [none, none], [0, 0]]
    assert scores(found, np.array([ANN]), VECTORS) == pytest.approx(np.array(expected), rel=1e-6)


def test_where_nothing_tells_values_apart_it_is_zero() -> None:
    found = asked([[8], [5], [5]], [0, 0, 1], [LOGIC, NOWHERE, ALGEBRA])
    assert scores(found, np.array([ANN, NOBODY]), VECTORS).tolist() == [[0, 0]] * 3


def test_a_pair_has_the_same_bits_alone_and_among_others() -> None:
    bags = [[5, 6], [7], [8], [6, 7]]
    contexts = [ALGEBRA, ALGEBRA, LOGIC, ALGEBRA]
    whole = scores(asked(bags, [0, 1, 1, 0], contexts), np.array([ANN, ANN]), VECTORS)
    for row, (bag, context) in enumerate(zip(bags, contexts, strict=True)):
        alone = scores(asked([bag], [0], [context]), np.array([ANN]), VECTORS)
        assert alone.tobytes() == whole[row].tobytes()
