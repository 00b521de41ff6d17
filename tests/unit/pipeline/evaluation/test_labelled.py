"""Measures of labelled rows, drawn one by one, by group, or in lots."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.schema import ONLY
from pipeline.evaluation import labelled
from pipeline.evaluation.bootstrap import intervals
from pipeline.evaluation.labelled import LabelledMeasures
from tests.unit.pipeline.judged import COMPOSITE, compared, day, measured

LABEL, LOGITS = [1, 0, 1, 0], np.array([1.0, 2.0, 3.0, 0.0], np.float32)
ALONE, GROUPED = day([0, 1, 2, 3, 4], LABEL, [0, 1, 2, 3]), day([0, 1, 2, 3, 4], LABEL, [0, 0, 1, 1])


def test_measures_of_rows_by_themselves() -> None:
    found = measured("rows", ALONE, LOGITS)
    # Of four pairs of a positive and a negative, three are in order: 1 > 0, 3 > 2, 3 > 0.
    assert found.values["auc"] == 0.75
    losses = [math.log(1 + math.exp(-1)), math.log(1 + math.exp(2)), math.log(1 + math.exp(-3)), math.log(2)]
    assert found.values["log_loss"] == pytest.approx(sum(losses) / 4)
    predicted = sum(1 / (1 + math.exp(-each)) for each in LOGITS.tolist())
    assert found.values["calibration"] == pytest.approx(predicted / 2)
    assert found.values["gauc"] is None
    assert found.reasons == {"gauc": "no group has several rows (`rows.group`)"}
    assert (found.rows, found.counts) == (4, {"positives": 2})


def test_gauc_is_that_of_groups() -> None:
    found = measured("rows", GROUPED, LOGITS)
    assert found.values["gauc"] == 0.5  # one group in order, one not
    assert (found.values["auc"], found.counts) == (0.75, {"positives": 2, "groups": 2})


def test_what_cannot_be_computed_says_why() -> None:
    none = measured("rows", day([0], [], []), np.zeros(0, np.float32))
    assert set(none.values.values()) == {None}
    assert set(none.reasons.values()) == {"no rows"}
    one_class = measured("rows", day([0, 1, 2], [0, 0], [0, 0]), np.zeros(2, np.float32))
    assert one_class.reasons == {
        "auc": "one class only", "gauc": "no group with both classes", "calibration": "no positives"
    }  # fmt: skip


def test_a_bootstrap_draws_rows_or_groups() -> None:
    def units(arrays: object) -> list[int]:
        return LabelledMeasures(arrays, ONLY, np.zeros(0, np.int32), COMPOSITE).units.tolist()  # type: ignore[arg-type]

    assert units(ALONE) == [0, 1, 2, 3]
    assert units(GROUPED) == [0, 0, 1, 1]


def test_many_rows_are_drawn_in_lots_that_vary_as_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, rows = np.random.default_rng(3), 20_000
    label = (rng.random(rows) < 0.3).astype(int)
    # In the order of the labels: lots of neighbours would all be alike, or all be different.
    label = np.sort(label)
    scores = [(label * 0.5 + rng.normal(size=rows)).astype(np.float32) for _ in range(2)]
    arrays = day(list(range(rows + 1)), label.tolist(), list(range(rows)))

    def widths() -> dict[str, float]:
        scored = compared("rows", arrays, np.zeros(0, np.int32), {}, *scores)
        found = intervals(scored, ["auc", "log_loss", "calibration"], resamples=400, confidence=0.95, seed=1)
        return {name: each.high - each.low for name, each in found.items() if each is not None}

    by_row = widths()
    monkeypatch.setattr(labelled, "LOTS", 500)
    lots = LabelledMeasures(arrays, ONLY, np.zeros(0, np.int32), COMPOSITE).units
    assert np.bincount(lots).tolist() == [rows // 500] * 500
    by_lot = widths()
    # 400 draws tell a width to a tenth or so.
    assert by_lot == {name: pytest.approx(width, rel=0.25) for name, width in by_row.items()}
