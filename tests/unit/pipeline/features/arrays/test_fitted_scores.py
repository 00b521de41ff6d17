"""Scores of values for owners, against those written out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.features.arrays.fitted_scores import LAST, VECTOR, Near, Vectors
from pipeline.features.frames.frame import Lists
from pipeline.features.frames.keyed import Keyed
from pipeline.features.ids.fingerprints import MISSING
from pipeline.features.state.neighbours import rows_of

ANN, BOB, NOBODY = 1, 2, 3
OWNERS, VALUES = np.array([ANN, ANN, BOB, NOBODY, ANN]), np.array([5, 7, 5, 5, 9])
VECTORS = Vectors(
    Keyed(np.array([ANN, BOB]), {VECTOR: np.float32([[1, 2], [0, 1]])}),
    Keyed(np.array([5, 7]), {VECTOR: np.float32([[3, 0.5], [1, 1]])}),
)
WEIGHTS = np.float32([[0.5, 0.25, 0.125], [0.75, 0.5, 0]])
NEAR = Near(
    Keyed(np.array([ANN, BOB]), {LAST: Lists.of([[5, 6, 11], [8]], np.int64)}),
    rows_of(np.array([5, 7]), np.array([[5, 8, 6], [7, 11, MISSING]]), WEIGHTS),
)


def test_the_product_of_both_vectors() -> None:
    assert VECTORS.of(OWNERS, VALUES).tolist() == [4, 3, 0.5, 0, 0]


def test_the_weights_of_neighbours_that_the_owner_took_last() -> None:
    assert NEAR.of(OWNERS, VALUES).tolist() == [0.625, 0.5, 0.25, 0, 0]


@pytest.mark.parametrize("scores", [VECTORS, NEAR])
def test_a_score_has_the_same_bits_alone_and_among_others(scores: Vectors | Near) -> None:
    whole = scores.of(OWNERS, VALUES)
    for place in range(len(OWNERS)):
        assert scores.of(OWNERS[place : place + 1], VALUES[place : place + 1]).tobytes() == whole[place].tobytes()
    assert scores.of(OWNERS[:0], VALUES[:0]).shape == (0,)
