"""Labels that come late: on which day a row teaches a task, and as how many positives one counts."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from models.engine.engine import configure
from models.engine.examples import Settings
from models.schema import DayArrays, Feature, FeatureSchema, Kind, Layout, Side
from models.tasks import Task
from pipeline.config.tasks import Late, TaskSettings
from pipeline.training.keras_trainer import KerasTrainer
from pipeline.training.late_tasks import LateLabels
from pipeline.training.trainer import TrainedRows
from tests.unit.pipeline.judged import day

configure(2)  # the threads of the jobs' settings, whichever test starts TensorFlow
TASKS = {
    "click": TaskSettings(label="is_click"), "buy": TaskSettings(label="bought", given="click"),
    "keep": TaskSettings(label="kept", given="buy"),
}  # fmt: skip
LABEL = np.array([[0, -1, -1], [1, 0, -1], [1, 1, 0], [1, 1, 1], [1, -1, -1]], np.int8)
ROWS = replace(day(list(range(6)), [0] * 5, [1] * 5), label=LABEL, tasks=("click", "buy", "keep"))


def columns(
    late: dict[str, Late], age: int, asked: list[str] | None = None, *, entire: bool = False
) -> list[list[float]]:
    found = LateLabels(TASKS, late, entire).of_rows(ROWS, age, asked)
    return np.asarray(found.label).T.tolist()


def test_what_waits_is_withheld_of_its_day_and_asked_alone_of_the_day_that_it_waits_for() -> None:
    late = {"buy": Late(wait_days=3)}
    assert columns(late, 1) == [[0, 1, 1, 1, 1], [-2] * 5, [-1, -1, 0, 1, -1]]
    assert columns(late, 4, ["buy"]) == [[-1] * 5, [-1, 0, 1, 1, -1], [-1] * 5]


def test_learnt_of_all_rows_it_is_asked_together_with_what_it_is_given() -> None:
    assert columns({"keep": Late(wait_days=3)}, 4, ["keep"], entire=True) == [[-1] * 5, [-1] * 5, [0, 0, 0, 1, -1]]


def test_a_positive_counts_for_those_that_have_yet_to_come() -> None:
    late = {"buy": Late(arrived=(0.25, 0.8))}
    for age, counts in ((1, 4.0), (2, 1.25), (3, 1.0)):
        assert columns(late, age)[1] == [-1, 0, counts, counts, -1]


ADS = FeatureSchema((Feature("ad", Kind.CATEGORICAL, Side.ITEM, "ad"),), {"ad": "int"})
TRUE = np.array([0.1, 0.3, 0.6])
"""Of three ads, how many of the clicks are bought."""
ARRIVED = (0.4, 0.7)


@cache
def clicks() -> tuple[DayArrays, np.ndarray]:
    """Clicks, what of them was bought in the end, and when it came, in days."""
    draw, rows = np.random.default_rng(1), 6000
    ad = draw.integers(0, 3, rows)
    layout = Layout.of(ADS, {})
    bought = draw.random(rows) < TRUE[ad]
    came = np.where(bought, 1 + np.searchsorted(ARRIVED, draw.random(rows)), 99)
    arrays = replace(
        day(list(range(rows + 1)), [0] * rows, list(range(rows))), layout=layout,
        item_ids=(ad + 2)[:, None].astype(np.int32), item_dense=np.zeros((rows, 0), np.float32),
        request_ids=np.zeros((rows, 0), np.int32), request_dense=np.zeros((rows, 0), np.float32),
        pair_dense=np.zeros((rows, 0), np.float32), pair_item=np.arange(rows, dtype=np.int32),
    )  # fmt: skip
    return arrays, came


@pytest.mark.parametrize("age", [1, 2])
def test_the_bias_of_labels_that_have_not_come_is_gone(age: int) -> None:
    """Planted: of the purchases of a day 40 % have come on the next, 70 % on the day after."""
    arrays, came = clicks()
    known = replace(
        arrays, label=np.stack([np.ones(len(came)), came <= age], axis=1).astype(np.int8), tasks=("click", "buy")
    )
    bias = {}
    for name, late in (("as it is", {}), ("corrected", {"buy": Late(arrived=ARRIVED)})):
        trainer = KerasTrainer(
            ADS, "pooled", {"units": []}, dims={"ad": 4}, tasks=(Task("buy"),), compile="graph", seed=3
        )
        trainer.fresh({"ad": 5})
        rows = LateLabels(TASKS, late, entire=False).of_rows(known, age)
        trainer.train([TrainedRows("rows", rows, [Settings(100, seed=n) for n in range(4)])], 0.03, {"ad": 5})
        told = 1 / (1 + np.exp(-trainer.scores(known)[:, 0]))
        bias[name] = float(told.mean() / (came < 99).mean() - 1)
    assert bias["as it is"] == pytest.approx(ARRIVED[age - 1] - 1, abs=0.07)
    assert abs(bias["corrected"]) < 0.25 * abs(bias["as it is"]), bias
