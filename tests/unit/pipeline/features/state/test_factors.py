"""Vectors of owners and values, against the whole matrix."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.config.bags import Collaborative
from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.state.bags import BagRule, BagTables
from pipeline.features.state.factors import Factors, Taken, leading, least_squares, singular_vectors
from pipeline.features.state.histories import HistoryTable

DAY = Day.of(2024, 3, 1)
SVD = Collaborative(bag="sections", context="chapter", owner="teacher", factors=3)
ALS = SVD.model_copy(update={"method": "als", "weight": 4.0, "penalty": 0.5})
OWNERS, VALUES = 30, 12


def matrix() -> NDArray[np.float64]:
    """Which of 12 values each of 30 owners takes: of four groups, each with its own values."""
    rng = np.random.default_rng(7)
    near = (np.arange(OWNERS)[:, None] % 4) == (np.arange(VALUES)[None] % 4)
    return (rng.random((OWNERS, VALUES)) < np.where(near, 0.8, 0.1)).astype(float)


def table(held: NDArray[np.float64]) -> HistoryTable:
    """Each owner's values in two events that share one; the code of value ``v`` is 100 + v, of owner ``u`` 1 + u."""
    owner, bags = [], []
    for row, values in enumerate(held):
        own = (100 + np.flatnonzero(values)).tolist()
        owner += [row + 1] * 2
        bags += [own[: len(own) // 2 + 1], own[len(own) // 2 :]]
    count, found = len(owner), BagTables.empty(BagRule((), {"teacher": 64}))
    own_codes = {"teacher": np.array(owner)}
    context = np.full(count, 5)
    return found.apply(own_codes, context, Lists.of(bags, np.int64), np.ones(count, np.int8), DAY).own["teacher"]


def smoothed(held: NDArray[np.float64]) -> NDArray[np.float64]:
    return held / np.sqrt((held.sum(axis=1, keepdims=True) + 5) * (held.sum(axis=0, keepdims=True) + 5))


def test_each_pair_counts_once() -> None:
    held = matrix()
    taken = Taken.of(table(held), DAY)
    assert taken.values.tolist() == list(range(100, 100 + VALUES))
    assert taken.owners.tolist() == held.sum(axis=0).tolist()
    assert sorted(map(int, taken.lists.lengths)) == sorted(held.sum(axis=1).astype(int).tolist())


def test_the_singular_vectors_are_those_of_the_whole_matrix() -> None:
    held = matrix()
    found = singular_vectors(Taken.of(table(held), DAY), 3)
    whole = np.linalg.svd(smoothed(held))[2][:3].T
    assert np.abs((found * whole).sum(axis=0)).tolist() == pytest.approx([1, 1, 1], abs=1e-6)
    assert (found[np.abs(found).argmax(axis=0), np.arange(3)] > 0).all()


def test_nearly_all_is_found_where_singular_values_fall_slowly() -> None:
    """As they do where nobody's taste is like another's: few passes would find a part of it."""
    held = (np.random.default_rng(3).random((200, 120)) < 0.1).astype(float)
    found = singular_vectors(Taken.of(table(held), DAY), 8)
    values = np.linalg.svd(smoothed(held))[1][:8]
    assert np.square(smoothed(held) @ found).sum() / np.square(values).sum() > 0.9999


def test_eigenvectors_that_the_start_has_no_part_in_are_found_too() -> None:
    """Of two eigenvalues alone: after two steps nothing is left of the start."""
    matrix = np.diag([2.0] * 5 + [1.0] * 195)
    found = leading(lambda vector: matrix @ vector, 200, 5)
    np.testing.assert_allclose(found.T @ found, np.eye(5), atol=1e-9)
    np.testing.assert_allclose(np.square(found[:5]).sum(axis=0), 1, atol=1e-9)


def test_an_owner_is_the_sum_of_the_values_taken() -> None:
    held = matrix()
    fitted = Factors.fit(SVD, table(held), DAY)
    vectors = np.asarray(fitted.table.columns["vector"])
    expected = held[4] @ (vectors / np.sqrt(held.sum(axis=0) + 5)[:, None])
    owners = fitted.owners(SVD, table(held), np.array([5, 999, 5]))
    np.testing.assert_allclose(owners[0], expected, rtol=1e-5)
    assert owners[1].tolist() == [0, 0, 0]
    assert owners[2].tobytes() == owners[0].tobytes()
    # What was taken since the fit by nobody before has no vector.
    assert fitted.vectors(np.array([100, 7]))[1].tolist() == [0, 0, 0]


def test_least_squares_solve_each_side_for_the_other() -> None:
    held = matrix()
    values = least_squares(Taken.of(table(held), DAY), ALS)
    fitted = Factors.fit(ALS, table(held), DAY)
    own, weight = held[4].astype(bool), np.where(held[4] > 0, 5.0, 1.0)
    expected = np.linalg.solve(values.T @ (weight[:, None] * values) + 0.5 * np.eye(3), 5 * values[own].sum(axis=0))
    found = fitted.owners(ALS, table(held), np.array([5]))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    scores = values @ found
    assert scores[own].mean() > scores[~own].mean() + 0.3


def test_a_fit_has_the_same_bits_each_time_and_as_stored() -> None:
    first, second = (Factors.fit(each, table(matrix()), DAY) for each in (SVD, SVD))
    stored = Factors.from_arrays(first.arrays())
    for name, array in first.arrays().items():
        assert array.tobytes() == second.arrays()[name].tobytes() == stored.arrays()[name].tobytes()


def test_more_factors_than_values_are_zeros_and_nothing_taken_is_no_vector() -> None:
    wide = SVD.model_copy(update={"factors": 20})
    fitted = Factors.fit(wide, table(matrix()), DAY)
    vectors = np.asarray(fitted.table.columns["vector"])
    assert vectors.shape == (VALUES, 20)
    assert not vectors[:, VALUES:].any()
    none = Factors.fit(SVD, table(matrix()[:0]), DAY)
    assert none.vectors(np.array([100])).tolist() == [[0, 0, 0]]
