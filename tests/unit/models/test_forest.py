"""Trees as arrays, against those of the golden file, and as LightGBM reads them back."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest

from models.forest import Forest
from tests.golden import golden


@pytest.fixture
def given() -> dict[str, np.ndarray]:
    return golden("gbdt_lr")


@pytest.fixture
def text(given: dict[str, np.ndarray]) -> str:
    return str(given["lightgbm_model"])


@pytest.fixture
def forest(text: str) -> Forest:
    return Forest.read(text)


def equal(one: Forest, other: Forest) -> bool:
    return all(np.array_equal(values, other.tensors[name]) for name, values in one.tensors.items())


def test_the_text_of_a_model_becomes_its_arrays(given: dict[str, np.ndarray], forest: Forest) -> None:
    for name in ("leaves", "threshold", "default_left", "left", "right"):
        np.testing.assert_array_equal(forest.tensors[name], given[name], err_msg=name)
    np.testing.assert_array_equal(forest.value, given["leaf_value"])
    np.testing.assert_array_equal(forest.feature, np.maximum(given["feature"], 0))


def test_lightgbm_reads_what_is_written_to_the_last_bit(given: dict[str, np.ndarray], forest: Forest) -> None:
    value = np.where(forest.value != 0, forest.value / 3 + 1e-17, 0)
    written = Forest(**{**forest.tensors, "value": value}).text(3)
    booster = lightgbm.Booster(model_str=written)
    expected = value[np.arange(2), given["out_leaf"]].sum(axis=1)
    np.testing.assert_array_equal(booster.predict(given["x"], raw_score=True), expected)
    assert equal(Forest.read(written), Forest(**{**forest.tensors, "value": value}))


def test_a_tree_that_met_nothing_missing_reads_it_as_zero(text: str) -> None:
    """`decision_type` 2: LightGBM takes NaN for 0, so the default side is that of 0, whatever the bit says."""
    found = Forest.read(text.replace("decision_type=10 8 10", "decision_type=0 2 2"))
    assert found.default_left[0].tolist() == [True, False, True]  # of 0.5, -0.25 and 1.75


def test_a_tree_of_one_leaf_is_none() -> None:
    constant = "Tree=0\nnum_leaves=1\nnum_cat=0\nleaf_value=0.7\n\n\nend of trees\n"
    assert len(Forest.read("tree\n\n" + constant)) == 0
    assert equal(Forest.read(Forest.none().text(3)), Forest.none())


@pytest.mark.parametrize(("written", "instead", "said"), [
    ("decision_type=10 8 10", "decision_type=11 8 10", "asks a category"),
    ("decision_type=10 8 10", "decision_type=6 8 10", "takes zero for missing"),
    ("is_linear=0", "is_linear=1", "has a line in each leaf"),
])  # fmt: skip
def test_trees_that_are_walked_otherwise_are_refused(text: str, written: str, instead: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Forest.read(text.replace(written, instead))


def test_the_newest_trees_and_those_that_follow(forest: Forest) -> None:
    newest = forest.newest(1)
    assert newest.leaves.tolist() == [3]
    assert equal(forest.newest(5), forest)
    assert len(forest.newest(0)) == 0
    wide = Forest.none().followed_by(newest).followed_by(forest)
    assert wide.leaves.tolist() == [3, 4, 3]
    assert wide.value.tolist() == [[-0.3, 0.15, 0.05, 0], [0.2, -0.1, 0.35, -0.4], [-0.3, 0.15, 0.05, 0]]


def test_trees_ask_the_same_of_columns_in_another_order(given: dict[str, np.ndarray], forest: Forest) -> None:
    """Columns a, b, c now stand behind a new one, c first."""
    moved = forest.asking([2, 3, 1])
    assert moved.feature.tolist() == [[2, 3, 1], [1, 2, 2]]
    x = given["x"][:, [0, 2, 0, 1]]
    x[:, 0] = 99
    np.testing.assert_array_equal(
        lightgbm.Booster(model_str=moved.text(4)).predict(x, raw_score=True), given["out_gbdt_raw"]
    )
