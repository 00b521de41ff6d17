"""A day's measures on rows small enough to compute by hand."""

import math

import numpy as np
import pytest

from pipeline.config.measures import MEASURES, allowed
from pipeline.evaluation import metrics
from pipeline.evaluation.measures import evaluate_impressions, evaluate_ranking, parts, request_scores
from tests.golden import golden
from tests.unit.pipeline.judged import COMPOSITE, day


def test_ranking_counts_and_leaves_out_what_cannot_be_judged() -> None:
    # request 0: positive second of three; 1: not covered; 2: nothing but positives; 3: positive first of two
    arrays = day([0, 3, 5, 6, 8], [0, 1, -1, 0, 0, 1, 1, 0], [1, 1, 2, 3])
    logits = np.array([3.0, 2.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0], np.float32)
    found = evaluate_ranking(arrays, logits, np.arange(8, dtype=np.int32), COMPOSITE)
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
    found = evaluate_ranking(arrays, np.zeros(3, np.float32), np.arange(3, dtype=np.int32), COMPOSITE)
    assert (found.values["requests"], found.values["covered"]) == (3, 2)
    assert found.counts == {"not_covered": 1, "all_positive": 2}
    assert found.values["hit_1"] is None
    assert found.reasons["composite"] == "no request with a positive and a negative candidate"
    # Of all that were asked, the one without candidates is a miss.
    assert found.values["hit_1_all"] == 0


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


@pytest.mark.parametrize("kind", ["impressions", "ranking"])
def test_every_measure_is_in_the_registry_and_its_parts_add_up_to_it(kind: str) -> None:
    rng = np.random.default_rng(3)
    sizes = rng.integers(0, 5, 80) if kind == "ranking" else np.ones(80, int)
    arrays = day(np.r_[0, np.cumsum(sizes)].tolist(), rng.integers(0, 2, sizes.sum()).tolist(),
                 rng.integers(0, 20, 80).tolist())  # fmt: skip
    logits = rng.integers(-3, 3, sizes.sum()).astype(np.float32)
    key_rank = rng.permutation(sizes.sum()).astype(np.int32)
    found = (
        evaluate_impressions(arrays, logits) if kind == "impressions"
        else evaluate_ranking(arrays, logits, key_rank, COMPOSITE)
    )  # fmt: skip
    listed = MEASURES[kind]  # type: ignore[index]
    assert set(found.values) == set(listed)
    for name, measure in listed.items():
        if measure.of == "count" or measure.of == "pairs":
            with pytest.raises(ValueError, match="no parts"):
                parts(kind, measure, arrays, logits, key_rank, COMPOSITE)  # type: ignore[arg-type]
        else:
            own = parts(kind, measure, arrays, logits, key_rank, COMPOSITE)  # type: ignore[arg-type]
            assert own.value == pytest.approx(found.values[name])


def test_what_a_setting_may_name() -> None:
    assert allowed("impressions", "margin") == ("auc", "gauc", "log_loss", "calibration")
    assert allowed("impressions", "floor") == allowed("impressions", "alert") == ("auc", "gauc", "log_loss")
    hits = ("hit_1", "hit_3", "hit_5", "hit_10", "hit_15")
    everyone = tuple(f"{name}_all" for name in hits)
    assert allowed("ranking", "primary") == (*hits, "composite", "log_loss", "auc", *everyone)


def test_golden_measures_of_impressions() -> None:
    case = golden("measures")
    label, logit, user = case["label"].astype(int), case["logit"], case["user"]
    rows = day(list(range(len(label) + 1)), label.tolist(), user.tolist())
    found = evaluate_impressions(rows, logit)
    for name in ("auc", "gauc", "log_loss", "calibration"):
        assert found.values[name] == pytest.approx(float(case[f"out_{name}"]), abs=1e-12), name
    by_user = metrics.auc_by_group(label, logit, user)[0]
    np.testing.assert_allclose(by_user, case["out_user_auc"], atol=1e-12)


def test_golden_measures_of_a_ranking() -> None:
    case = golden("measures")
    label, score, offsets = case["candidate_label"].astype(int), case["candidate_score"], case["offsets"]
    ks, weights = case["ks"].tolist(), case["weights"].tolist()
    arrays = day(offsets.tolist(), label.tolist(), list(range(len(offsets) - 1)))
    key_rank = case["candidate_key"].astype(np.int32)
    scores = request_scores(arrays, score, key_rank)
    np.testing.assert_array_equal(scores.judged, case["out_judged"])
    np.testing.assert_array_equal(np.where(scores.covered, scores.best + 1, 0), case["out_best_rank"])
    np.testing.assert_allclose(scores.auc, case["out_request_auc_each"], atol=1e-12)
    np.testing.assert_allclose(scores.log_loss, case["out_softmax_loss_each"], atol=1e-12)
    composite = dict(zip(ks, weights, strict=True))
    found = evaluate_ranking(arrays, score, key_rank, composite)
    assert [found.values[f"hit_{k}"] for k in ks] == pytest.approx(case["out_hits"].tolist())
    assert found.values["composite"] == pytest.approx(float(case["out_composite"]))
    judged = case["out_judged"]
    assert found.values["auc"] == pytest.approx(case["out_request_auc_each"][judged].mean())
    assert found.values["log_loss"] == pytest.approx(case["out_softmax_loss_each"][judged].mean())
