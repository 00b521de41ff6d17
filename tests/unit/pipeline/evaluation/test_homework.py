"""A day's measures on rows small enough to compute by hand."""

import math

import numpy as np
import pytest

from pipeline.evaluation.homework import request_scores
from tests.golden import golden
from tests.unit.pipeline.judged import COMPOSITE, day, measured


def test_ranking_counts_and_leaves_out_what_cannot_be_judged() -> None:
    # request 0: positive second of three; 1: not covered; 2: nothing but positives; 3: positive first of two
    arrays = day([0, 3, 5, 6, 8], [0, 1, -1, 0, 0, 1, 1, 0], [1, 1, 2, 3])
    logits = np.array([3.0, 2.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0], np.float32)
    found = measured("ranking", arrays, logits, np.arange(8, dtype=np.int32), COMPOSITE)
    assert found.values["requests"] == 4
    assert found.values["covered"] == 3
    assert found.counts == {"not_covered": 1, "all_positive": 1}
    assert found.values["hit_1"] == pytest.approx(1 / 2)
    assert found.values["hit_3"] == pytest.approx(1.0)
    assert found.values["hit_1_all"] == pytest.approx(1 / 3)
    assert found.values["hit_3_all"] == pytest.approx(2 / 3)
    assert found.values["composite"] == pytest.approx(0.5 / 2 + 0.3 + 0.2 + 0.1)
    first = math.log(math.exp(3) + math.exp(2) + math.exp(1)) - 2
    last = math.log(math.exp(1) + 1) - 1
    assert found.values["log_loss"] == pytest.approx((first + last) / 2)
    assert found.values["auc"] == pytest.approx((0.5 + 1.0) / 2)


def test_a_day_of_requests_with_nothing_but_positives_has_counts_and_no_measures() -> None:
    arrays = day([0, 2, 3, 3], [1, 1, 1], [1, 2, 3])
    found = measured("ranking", arrays, np.zeros(3, np.float32), np.arange(3, dtype=np.int32), COMPOSITE)
    assert (found.values["requests"], found.values["covered"]) == (3, 2)
    assert found.counts == {"not_covered": 1, "all_positive": 2}
    assert found.values["hit_1"] is None
    assert found.reasons["composite"] == "no request with a positive and a negative candidate"
    # Of all that were asked, the one without candidates is a miss.
    assert found.values["hit_1_all"] == 0


def test_ranking_of_a_day_without_positives_stands_empty_with_reasons() -> None:
    arrays = day([0, 2], [0, 0], [1])
    found = measured("ranking", arrays, np.zeros(2, np.float32), np.arange(2, dtype=np.int32), COMPOSITE)
    assert found.values["hit_1"] is None
    assert found.values["requests"] == 1
    assert found.reasons["hit_1"] == "no covered request"


def test_equal_scores_do_not_favour_the_positive() -> None:
    arrays = day([0, 3], [1, 0, 0], [1])
    late = measured("ranking", arrays, np.zeros(3, np.float32), np.array([2, 0, 1], np.int32), COMPOSITE)
    early = measured("ranking", arrays, np.zeros(3, np.float32), np.array([0, 1, 2], np.int32), COMPOSITE)
    assert (late.values["hit_1"], early.values["hit_1"]) == (0.0, 1.0)


def test_groups_are_measured_apart() -> None:
    arrays = day([0, 2, 4], [1, 0, 0, 1], [1, 2])
    logits = np.array([1.0, 0.0, 1.0, 0.0], np.float32)
    groups = {"new teachers": np.array([True, False]), "others": np.array([False, True])}
    found = measured("ranking", arrays, logits, np.arange(4, dtype=np.int32), COMPOSITE, groups)
    assert found.groups["new teachers"]["hit_1"] == 1.0
    assert found.groups["others"]["hit_1"] == 0.0


def test_golden_measures_of_a_ranking() -> None:
    case = golden("measures")
    label, score, offsets = case["candidate_label"].astype(int), case["candidate_score"], case["offsets"]
    ks, weights = case["ks"].tolist(), case["weights"].tolist()
    arrays = day(offsets.tolist(), label.tolist(), list(range(len(offsets) - 1)))
    key_rank = case["candidate_key"].astype(np.int32)
    scores = request_scores(arrays, arrays.label[:, 0], score, key_rank)
    np.testing.assert_array_equal(scores.judged, case["out_judged"])
    np.testing.assert_array_equal(np.where(scores.covered, scores.best + 1, 0), case["out_best_rank"])
    np.testing.assert_allclose(scores.auc, case["out_request_auc_each"], atol=1e-12)
    np.testing.assert_allclose(scores.log_loss, case["out_softmax_loss_each"], atol=1e-12)
    composite = dict(zip(ks, weights, strict=True))
    found = measured("ranking", arrays, score, key_rank, composite)
    assert [found.values[f"hit_{k}"] for k in ks] == pytest.approx(case["out_hits"].tolist())
    assert found.values["composite"] == pytest.approx(float(case["out_composite"]))
    judged = case["out_judged"]
    assert found.values["auc"] == pytest.approx(case["out_request_auc_each"][judged].mean())
    assert found.values["log_loss"] == pytest.approx(case["out_softmax_loss_each"][judged].mean())
