"""Hand-computed measures."""

import math

import numpy as np
import pytest

from pipeline.evaluation import metrics


def test_auc_counts_ties_half() -> None:
    label = np.array([1, 0, 1, 0])
    score = np.array([0.9, 0.5, 0.5, 0.1])
    # pairs: (.9,.5) 1, (.9,.1) 1, (.5,.5) half, (.5,.1) 1
    assert metrics.auc(label, score) == pytest.approx(3.5 / 4)


def test_auc_of_one_class_is_unknown() -> None:
    assert metrics.auc(np.ones(3), np.arange(3)) is None
    assert metrics.auc(np.zeros(0), np.zeros(0)) is None


def test_weighted_auc_equals_repeated_rows() -> None:
    rng = np.random.default_rng(3)
    label = rng.integers(0, 2, 40)
    score = rng.integers(0, 9, 40)
    weight = rng.integers(0, 4, 40)
    repeated = metrics.auc(np.repeat(label, weight), np.repeat(score, weight))
    assert metrics.auc(label, score, weight) == pytest.approx(repeated)


def test_gauc_weighs_users_by_impressions_and_leaves_out_one_class() -> None:
    user = np.array([7, 7, 7, 3, 3, 5])
    label = np.array([1, 0, 0, 0, 1, 1])
    score = np.array([0.5, 0.1, 0.9, 0.2, 0.8, 0.3])
    # user 7: one of two pairs right = .5 over three rows; user 3: 1 over two rows; user 5: one class
    assert metrics.gauc(label, score, user) == pytest.approx((0.5 * 3 + 1.0 * 2) / 5)


def test_auc_by_group_agrees_with_auc() -> None:
    rng = np.random.default_rng(5)
    group, label, score = rng.integers(0, 6, 200), rng.integers(0, 2, 200), rng.integers(0, 12, 200)
    values, sizes = metrics.auc_by_group(label, score, group)
    for value, size, one in zip(values, sizes, np.unique(group), strict=True):
        chosen = group == one
        assert size == chosen.sum()
        assert value == pytest.approx(metrics.auc(label[chosen], score[chosen]))


def test_log_losses_are_stable_for_large_logits() -> None:
    losses = metrics.log_losses(np.array([1, 0, 1]), np.array([1000.0, 1000.0, 0.0]))
    assert losses.tolist() == pytest.approx([0.0, 1000.0, math.log(2)])


def test_calibration() -> None:
    assert metrics.calibration(np.array([1, 0, 0, 0]), np.zeros(4)) == pytest.approx(2.0)
    assert metrics.calibration(np.zeros(4), np.zeros(4)) is None


def test_ties_are_broken_by_key_never_by_input_order() -> None:
    offsets = np.array([0, 3, 5])
    score = np.array([1.0, 1.0, 2.0, 0.0, 0.0])
    key_rank = np.array([9, 4, 7, 1, 0])
    assert metrics.ranks_in_request(score, offsets, key_rank).tolist() == [2, 1, 0, 1, 0]


def test_best_positive_rank_skips_empty_requests() -> None:
    offsets = np.array([0, 2, 2, 4])
    label = np.array([0, 1, 0, -1])
    best = metrics.best_positive_ranks(label, np.array([0, 1, 1, 0]), offsets)
    none = np.iinfo(np.int64).max
    assert best.tolist() == [1, none, none]


def test_softmax_loss_over_all_candidates() -> None:
    offsets = np.array([0, 2, 2, 5])
    logits = np.array([0.0, math.log(3), 5.0, 5.0, 5.0])
    label = np.array([0, 1, 1, 0, -1])
    losses = metrics.softmax_losses(label, logits, offsets)
    assert losses[0] == pytest.approx(-math.log(3 / 4))
    assert np.isnan(losses[1])
    assert losses[2] == pytest.approx(math.log(3))


def test_calibration_bins_are_of_equal_size_and_sorted_by_prediction() -> None:
    logit = np.array([2.0, -2.0, 0.0, 1.0, -1.0])
    label = np.array([1, 0, 1, 1, 0])
    bins = metrics.calibration_bins(label, logit, bins=2)
    low, high = metrics.sigmoid(np.array([-2.0, -1.0])), metrics.sigmoid(np.array([0.0, 1.0, 2.0]))
    np.testing.assert_allclose(bins, [[low.mean(), 0.0, 2], [high.mean(), 1.0, 3]])
    assert metrics.calibration_bins(label, logit).shape == (5, 3), "never more bins than rows"
    assert metrics.calibration_bins(label[:0], logit[:0]).shape == (0, 3)


def test_calibration_bins_of_right_predictions_lie_on_the_diagonal() -> None:
    rng = np.random.default_rng(3)
    logit = rng.normal(-1.5, 1.0, 200_000)
    label = (rng.random(len(logit)) < metrics.sigmoid(logit)).astype(np.int8)
    bins = metrics.calibration_bins(label, logit)
    assert bins[:, 2].sum() == len(logit)
    np.testing.assert_allclose(bins[:, 0], bins[:, 1], atol=0.01)
