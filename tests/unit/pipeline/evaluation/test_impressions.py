"""A day's measures on rows small enough to compute by hand."""

import math

import numpy as np
import pytest

from models.schema import ONLY
from pipeline.config.measures import MEASURES
from pipeline.evaluation import metrics
from pipeline.evaluation.impressions import ImpressionMeasures
from tests.golden import golden
from tests.unit.pipeline.judged import day, measured


def test_impressions_of_one_class_name_the_reason() -> None:
    found = measured("impressions", day([0, 1, 2], [0, 0], [1, 2]), np.zeros(2, np.float32))
    assert found.rows == 2
    assert found.values["auc"] is None
    assert found.values["log_loss"] == pytest.approx(math.log(2))
    assert found.reasons == {
        "auc": "one class only", "gauc": "no user with both classes", "calibration": "no positives",
    }  # fmt: skip


def test_an_empty_day_of_impressions_has_no_values() -> None:
    found = measured("impressions", day([0], [], []), np.zeros(0, np.float32))
    assert set(found.values.values()) == {None}


def test_golden_measures_of_impressions() -> None:
    case = golden("measures")
    label, logit, user = case["label"].astype(int), case["logit"], case["user"]
    rows = day(list(range(len(label) + 1)), label.tolist(), user.tolist())
    found = measured("impressions", rows, logit)
    for name in ("auc", "gauc", "log_loss", "calibration"):
        assert found.values[name] == pytest.approx(float(case[f"out_{name}"]), abs=1e-12), name
    by_user = metrics.auc_by_group(label, logit, user)[0]
    np.testing.assert_allclose(by_user, case["out_user_auc"], atol=1e-12)


def test_what_a_user_adds_to_gauc_is_his_where_others_have_no_row_that_is_judged() -> None:
    rows = day([0, 1, 2, 3, 4, 5, 6], [-1, -1, 1, 0, 1, 0], [0, 0, 1, 1, 2, 2])
    scores = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 1.0], np.float32)
    asked = ImpressionMeasures(rows, ONLY, np.zeros(0, np.int32), {})
    found = asked.parts(MEASURES["impressions"]["gauc"], scores)
    assert (found.user.tolist(), found.total.tolist(), found.count.tolist()) == ([1, 2], [2.0, 0.0], [2.0, 2.0])
