"""That several tasks come true, and the score, of a day's rows and of logits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.load import parse_job
from pipeline.training.joint import joint_label, joint_logit, score_logit, with_joint_logits, with_joints
from tests.unit.pipeline.config.two_tasks import JOINT, two
from tests.unit.pipeline.judged import day

BOTH = np.array([[1, 1], [0, -1], [1, 0], [1, -1]], np.int8)


def test_rows_have_a_label_for_all_that_is_measured() -> None:
    """Of one that is clicked and of which no more is known neither is both."""
    rows = replace(day([0, 1, 2, 3, 4], [0] * 4, [1, 1, 2, 2]), label=BOTH, tasks=("click", "long_view"))
    judged = with_joints(parse_job(two(**JOINT), Path("ads.yaml")), rows)
    assert judged.tasks == ("click", "long_view", "both", "score")
    assert judged.label_of("both").tolist() == judged.label_of("score").tolist() == [1, 0, 0, -1]
    assert with_joints(parse_job(two(), Path("ads.yaml")), rows) is rows


def test_a_chain_of_labels_ends_where_one_did_not_come_true() -> None:
    assert joint_label([np.array(each) for each in ([1, 1, 0, -1], [1, 0, -1, -1], [0, -1, -1, -1])]).tolist() == [
        0, 0, 0, -1
    ]  # fmt: skip


def test_logits_are_those_of_the_product_and_of_the_product_of_powers() -> None:
    job = parse_job(two(**JOINT), Path("ads.yaml"))
    logits = {"click": np.float32([0.0, 100.0]), "long_view": np.float32([0.0, 100.0])}
    found = with_joint_logits(job, logits)
    assert found["both"] == pytest.approx([-np.log(3), 100 - np.log(2)])
    half = 0.5**1.5
    assert found["score"][0] == pytest.approx(np.log(half / (1 - half)))
    assert np.isfinite(found["score"]).all()
    assert set(with_joint_logits(job, {"click": logits["click"]})) == {"click"}


def test_numpy_and_the_exported_graph_have_one_formula() -> None:
    a, b = np.random.default_rng(0).normal(0, 6, (2, 50))
    joint = 1 / (1 + np.exp(-a)) / (1 + np.exp(-b))
    assert joint_logit([a, b]) == pytest.approx(np.log(joint / (1 - joint)), abs=1e-9)
    assert score_logit({"x": 1.0, "y": 1.0}, {"x": a, "y": b}) == pytest.approx(joint_logit([a, b]), abs=1e-9)
