"""Steps of a regression over two trees of two leaves each, by hand."""

from __future__ import annotations

import numpy as np

from models.forest import Forest
from pipeline.training.leaf_regression import LeafRegression

LEAVES = np.array([[0, 1], [1, 1], [0, 0]])


def forest() -> Forest:
    one = np.zeros((2, 1), np.int32)
    return Forest(
        leaves=np.array([2, 2], np.int32), feature=one, threshold=np.zeros((2, 1)), default_left=one > 0,
        left=one - 1, right=one - 2, value=np.array([[0.5, -0.5], [0.25, -1.0]]),
    )  # fmt: skip


def test_it_begins_at_what_the_trees_say() -> None:
    begun = LeafRegression.begun(forest(), 0.1)
    np.testing.assert_allclose(begun.logits(LEAVES, 2), [0.1 + 0.5 - 1, 0.1 - 0.5 - 1, 0.1 + 0.5 + 0.25])
    value, base = begun.answering(forest())
    np.testing.assert_array_equal(value, forest().value)
    assert base == 0.1


def test_a_weight_moves_by_its_own_rate_and_a_batch_is_met_before_it_is_learnt() -> None:
    """All weights 0, so that every residual of the first batch is ½ − label: −½ and ½ (of weight 2: 1)."""
    made = LeafRegression(np.zeros(5), np.zeros(5))
    met = made.learn(LEAVES, 2, np.array([1, 0, 1], np.int8), np.array([1.0, 2.0, 1.0]), batch=2, rate=0.4)
    # Rate 0.4 / 2 trees; g by leaf: −½ (row 0), 1 (row 1), 0, −½ + 1, and of all ½.
    first = -0.2 * np.array([-0.5 / 1.5, 1 / 2, 0, 0.5 / 1.5, 0.5 / 1.5])
    third = first[0] + first[2] + first[4]
    np.testing.assert_allclose(met, [0, 0, third])
    g = 1 / (1 + np.exp(-third)) - 1
    moved = first.copy()
    moved[[0, 2, 4]] -= 0.2 * g / (1 + np.sqrt(np.array([0.25, 0, 0.25]) + g**2))
    np.testing.assert_allclose(made.weight, moved)
    np.testing.assert_allclose(made.squares, [0.25 + g**2, 1, g**2, 0.25, 0.25 + g**2])


def test_what_is_stored_goes_on() -> None:
    made = LeafRegression.begun(forest(), 0.1)
    made.learn(LEAVES, 2, np.array([1, 0, 1], np.int8), np.ones(3), batch=2, rate=0.4)
    again = LeafRegression.of(made.tensors)
    label = np.array([0, 0, 1], np.int8)
    one, two = (each.learn(LEAVES, 2, label, np.ones(3), batch=2, rate=0.4) for each in (made, again))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(made.weight, again.weight)
