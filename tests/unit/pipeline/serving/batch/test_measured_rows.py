from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.serving.batch.measured_rows import MeasuredRows
from tests.unit.pipeline.features import shows


def test_rows_without_a_label_are_not_counted() -> None:
    """Positives at logits 0 and 2, a negative at 1: half of the pairs stand right."""
    measured = MeasuredRows(shows.config(), {"label": "click"}, ["label"])
    measured.add(pa.table({"click": [1, None]}), {"label": np.array([0, 9], np.float32)})
    measured.add(pa.table({"click": [0, 1]}), {"label": np.array([1, 2], np.float32)})
    found = measured.measures()
    assert (found["labelled"], found["auc"]) == (3, 0.5)
    losses = math.log(2) + math.log(1 + math.e) + math.log(1 + math.exp(-2))
    assert found["log_loss"] == pytest.approx(losses / 3)
    assert found["calibration"] == pytest.approx((0.5 + 1 / (1 + math.exp(-1)) + 1 / (1 + math.exp(-2))) / 2)


def test_without_labels_there_is_nothing_to_measure() -> None:
    measured = MeasuredRows(shows.config(), {"label": "click"}, ["label"])
    measured.add(pa.table({"user": [1]}), {"label": np.zeros(1, np.float32)})
    assert measured.measures() == {}


def test_a_task_that_is_given_another_is_measured_where_that_one_is_set() -> None:
    column: dict[str, Any] = {"type": "int", "required": True, "allowed": [0, 1], "change": "outcome"}
    log = {**shows.TABLES["log"], "columns": {**shows.TABLES["log"]["columns"], "bought": column}}
    tasks = {"click": {"label": "click"}, "buy": {"label": "bought", "given": "click"}}
    settings = {"pooled": {"model": "pooled", "batch": 4, "compile": "graph"}}
    config = shows.config(tables={**shows.TABLES, "log": log}, tasks=tasks, experiments=settings)
    measured = MeasuredRows(config, {"click": "click", "buy": "bought"}, ["click", "buy"])
    logits = np.array([1, 2, 3], np.float32)
    measured.add(pa.table({"click": [1, 0, 1], "bought": [1, 1, 0]}), {"click": logits, "buy": logits})
    found = measured.measures()
    assert (found["click/labelled"], found["buy/labelled"], found["buy/auc"]) == (3, 2, 0.0)
