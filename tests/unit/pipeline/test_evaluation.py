"""A day's measures on rows small enough to compute by hand."""

import math

import numpy as np
import pytest

from models.schema import DayArrays, FeatureSchema, Layout
from pipeline.evaluation import evaluate_impressions, evaluate_ranking, unit_values

COMPOSITE = {1: 0.5, 3: 0.3, 5: 0.2, 10: 0.1}


def day(offsets: list[int], label: list[int], user: list[int]) -> DayArrays:
    requests = len(offsets) - 1
    layout = Layout.of(FeatureSchema(()), {})
    return DayArrays(
        layout=layout,
        request_ids=np.zeros((requests, 0), np.int32),
        request_dense=np.zeros((requests, 0), np.float32),
        item_ids=np.zeros((len(label), 0), np.int32),
        item_dense=np.zeros((len(label), 0), np.float32),
        offsets=np.array(offsets, np.int64),
        pair_item=np.arange(len(label), dtype=np.int32),
        pair_dense=np.zeros((len(label), 0), np.float32),
        label=np.array(label, np.int8),
        weight=np.ones(requests, np.float32),
        user=np.array(user, np.int32),
        taken=np.ones(requests, np.int32),
    )


def test_ranking_counts_coverage_and_leaves_out_what_cannot_be_judged() -> None:
    # request 0: positive second of three; 1: not covered; 2: nothing but positives; 3: positive first of two
    arrays = day([0, 3, 5, 6, 8], [0, 1, -1, 0, 0, 1, 1, 0], [1, 1, 2, 3])
    logits = np.array([3.0, 2.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0], np.float32)
    found = evaluate_ranking(arrays, logits, np.arange(8, dtype=np.int32), COMPOSITE)
    assert found.values["requests"] == 4
    assert found.values["covered"] == 3
    assert found.counts == {"not_covered": 1, "all_positive": 1}
    assert found.values["hit_1"] == pytest.approx(2 / 3)
    assert found.values["hit_3"] == pytest.approx(1.0)
    assert found.values["hit_1_all"] == pytest.approx(2 / 4)
    assert found.values["composite"] == pytest.approx(0.5 * 2 / 3 + 0.3 + 0.2 + 0.1)
    first = math.log(math.exp(3) + math.exp(2) + math.exp(1)) - 2
    last = math.log(math.exp(1) + 1) - 1
    assert found.values["log_loss"] == pytest.approx((first + 0 + last) / 3)
    assert found.values["auc"] == pytest.approx((0.5 + 1.0) / 2)


def test_ranking_of_a_day_without_positives_stands_empty_with_reasons() -> None:
    found = evaluate_ranking(day([0, 2], [0, 0], [1]), np.zeros(2, np.float32), np.arange(2, dtype=np.int32), COMPOSITE)
    assert found.values["hit_1"] is None
    assert found.values["requests"] == 1
    assert found.reasons["hit_1"] == "no covered request"


def test_equal_scores_do_not_favour_the_positive() -> None:
    arrays = day([0, 3], [1, 0, 0], [1])
    late = evaluate_ranking(arrays, np.zeros(3, np.float32), np.array([2, 0, 1], np.int32), COMPOSITE)
    early = evaluate_ranking(arrays, np.zeros(3, np.float32), np.array([0, 1, 2], np.int32), COMPOSITE)
    assert (late.values["hit_1"], early.values["hit_1"]) == (0.0, 1.0)


def test_groups_are_measured_apart() -> None:
    arrays = day([0, 2, 4], [1, 0, 0, 1], [1, 2])
    logits = np.array([1.0, 0.0, 1.0, 0.0], np.float32)
    groups = {"new teachers": np.array([True, False]), "others": np.array([False, True])}
    found = evaluate_ranking(arrays, logits, np.arange(4, dtype=np.int32), COMPOSITE, groups)
    assert found.groups["new teachers"]["hit_1"] == 1.0
    assert found.groups["others"]["hit_1"] == 0.0


def test_impressions_of_one_class_name_the_reason() -> None:
    found = evaluate_impressions(day([0, 1, 2], [0, 0], [1, 2]), np.zeros(2, np.float32))
    assert found.rows == 2
    assert found.values["auc"] is None
    assert found.values["log_loss"] == pytest.approx(math.log(2))
    assert found.reasons == {
        "auc": "one class only", "gauc": "no user with both classes", "calibration": "no positives",
    }  # fmt: skip


def test_an_empty_day_of_impressions_has_no_values() -> None:
    found = evaluate_impressions(day([0], [], []), np.zeros(0, np.float32))
    assert set(found.values.values()) == {None}


def test_unit_values_average_to_the_measure() -> None:
    arrays = day([0, 3, 5, 7], [0, 1, 0, 1, 0, 0, 0], [1, 2, 3])
    logits = np.array([0.0, 1.0, 2.0, 1.0, 0.0, 1.0, 1.0], np.float32)
    key_rank = np.arange(7, dtype=np.int32)
    found = evaluate_ranking(arrays, logits, key_rank, COMPOSITE)
    for measure in ("hit_1", "hit_3", "composite", "log_loss", "auc"):
        values = unit_values("ranking", measure, arrays, logits, key_rank, COMPOSITE)
        assert np.isnan(values[2])
        assert np.nanmean(values) == pytest.approx(found.values[measure])
    with pytest.raises(ValueError, match="gauc"):
        unit_values("impressions", "gauc", arrays, logits, key_rank, COMPOSITE)
