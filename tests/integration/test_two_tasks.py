"""A job with two tasks and a trainer that counts, through the line: sources to Redis, the page's figures and back."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from pipeline.evaluation import metrics
from pipeline.features.arrays import files as day_arrays
from pipeline.training import logits
from pipeline.training.records import CheckpointRecord
from tests import tiny
from tests.tiny import FIRST, LAST, SECOND, Place, copy_of

pytestmark = pytest.mark.slow
TASKS = ("click", "watched")


def two_tasks(folder: Path) -> Place:
    """The tiny job of ads; every second click is watched, and by mistake an impression that is not clicked."""
    tiny.generate(folder)
    place = Place(folder)
    for day in (FIRST, SECOND, LAST):
        rows = place.shows(day)
        click = np.asarray(rows["is_click"].to_pylist(), int)
        watched = np.where(click == 1, np.cumsum(click) % 2, 0)
        watched[np.flatnonzero(click == 0)[1]] = 1
        place.show(day, rows.append_column("watched", pa.array(watched)))
    found = tiny.settings("ads")
    found["tables"]["impressions"]["columns"]["watched"] = {
        "type": "int", "required": True, "allowed": [0, 1], "change": "outcome"
    }  # fmt: skip
    found["tasks"] = {
        "click": {"label": "is_click"},
        "watched": {"label": "watched", "given": "click", "weight": 0.5, "joint": "both"},
    }
    found["score"] = {"click": 1, "watched": 0.5}
    for experiment in found["experiments"].values():
        experiment.pop("loss")
    found["experiments"]["din"]["tasks"] = ["watched"]
    found["experiments"]["popularity"] = {"model": "popularity"}
    found["experiments"]["ple"] = {
        **found["experiments"]["pooled"], "model": "ple", "score_loss": 0.1,
        "options": {
            "units": [4], "levels": 1, "experts": 1, "shared_experts": 1, "expert_units": [8], "entire_space": True
        },
    }  # fmt: skip
    found["release"]["champion"] = "pooled"
    found.pop("measures", None)
    place.configure("ads", found)
    return place


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Three days by one process; not to be changed."""
    place = two_tasks(tmp_path_factory.mktemp("tasks"))
    place.good("backfill", "--job", "ads", "--from", FIRST, "--to", LAST)
    return place


def test_rows_that_cannot_be_are_left_out_and_counted(trained: Place) -> None:
    features = trained.artifact("features", SECOND)
    assert features.manifest.rows["watched_without_click"] == 1
    arrays = day_arrays.read(features)
    assert arrays.requests == trained.artifact("validated", SECOND).manifest.rows["impressions"] - 1
    click, watched = (arrays.label_of(task) for task in TASKS)
    assert set(watched[click == 0]) == {-1}
    assert set(watched[click == 1]) == {0, 1}


def test_both_tasks_are_in_the_csv_and_each_experiment_has_its_own(trained: Place) -> None:
    lines = trained.good("measures", "--job", "ads").out.splitlines()
    rows = {(row["day"], row["experiment"]): row for row in csv.DictReader(lines)}
    both, watched, counted = (rows[str(LAST), name] for name in ("pooled", "din", "popularity"))
    assert all(both[f"{task}/auc"] and counted[f"{task}/auc"] for task in TASKS)
    assert (watched["click/auc"], bool(watched["watched/auc"])) == ("", True)
    report = next((trained.root / "reports" / "ads").rglob(f"{LAST}*")).read_text(encoding="utf-8")
    assert "watched/auc" in report
    assert "pooled: watched" in report, "calibration of each task"
    assert "pooled: both" in report
    assert "pooled: score" not in report, "a product of powers is no probability"
    assert "high click, low watched" in report
    assert "What watched is told comes from level_1_expert_watched_1" in report
    assert "watched/log_loss" in trained.good("status", "--job", "ads").out
    compared = trained.good("compare", "--job", "ads", "--measure", "watched/auc", "--experiments", "din", "pooled").out
    assert "pooled" in compared


def test_that_both_come_true_is_measured_of_all_rows_and_the_score_by_its_order(trained: Place) -> None:
    test, arrays = trained.artifact("test", LAST, "pooled"), day_arrays.read(trained.artifact("features", LAST))
    values, scores = test.manifest.extra["values"], logits.read(test)
    seen = (arrays.label_of("click") == 1) & (arrays.label_of("watched") == 1)
    click, watched = (1 / (1 + np.exp(-scores[task].astype(np.float64))) for task in TASKS)
    assert values["both/auc"] == pytest.approx(metrics.auc(seen, click * watched))
    assert values["both/calibration"] == pytest.approx((click * watched).sum() / seen.sum())
    assert values["score/auc"] == pytest.approx(metrics.auc(seen, click * watched**0.5))
    assert "score/log_loss" not in values
    alone = trained.artifact("test", LAST, "din").manifest.extra["values"]
    assert not any(name.startswith(("both", "score")) for name in alone)


def test_the_exported_model_answers_the_product_to_the_bit_and_ranks_by_the_score(trained: Place) -> None:
    export = trained.artifact("export", LAST, "ple")
    run = tf.saved_model.load(str(export.path / "model")).signatures["serving_default"]
    with np.load(export.file("golden_inputs.npz")) as inputs:
        answer = {name: value.numpy() for name, value in run(**{k: tf.constant(v) for k, v in inputs.items()}).items()}
    click, watched = (answer[f"{task}/probability"] for task in TASKS)
    assert (answer["both/probability"] == click * watched).all()
    assert answer["probability"] == pytest.approx(click * watched**0.5)
    assert (answer["logit"] == answer["score/logit"]).all()


def test_the_sum_of_the_losses_is_told_apart(trained: Place) -> None:
    said = CheckpointRecord.of(trained.artifact("checkpoint", LAST, "pooled"))
    assert said.losses is not None
    assert set(said.losses) == set(TASKS)
    assert said.loss == pytest.approx(said.losses["click"] + 0.5 * said.losses["watched"], rel=1e-5)
    of_experts = CheckpointRecord.of(trained.artifact("checkpoint", LAST, "ple"))
    assert of_experts.losses is not None
    assert set(of_experts.losses) == {*TASKS, "score"}
    assert of_experts.loss == pytest.approx(
        of_experts.losses["click"] + 0.5 * of_experts.losses["watched"] + 0.1 * of_experts.losses["score"], rel=1e-5
    )
    assert of_experts.experts is not None
    assert sum(of_experts.experts["watched"].values()) == pytest.approx(1.0, rel=1e-5)
    first = CheckpointRecord.of(trained.artifact("checkpoint", FIRST, "pooled"))
    assert isinstance(first.base_rate, dict)
    assert first.base_rate["watched"] == pytest.approx(0.5, abs=0.05)
    alone = CheckpointRecord.of(trained.artifact("checkpoint", FIRST, "din"))
    assert (alone.losses, alone.base_rate) == (None, pytest.approx(first.base_rate["watched"]))


def test_every_answer_of_the_exported_models_was_checked(trained: Place) -> None:
    for name, tasks in (("pooled", TASKS), ("din", TASKS[1:]), ("popularity", TASKS)):
        assert trained.artifact("check", LAST, name).manifest.extra["verdict"] == "ok"
        outputs = np.load(trained.artifact("export", LAST, name).file("golden_outputs.npz"))
        assert all(f"{task}/logit" in outputs for task in tasks if len(tasks) > 1)
        assert set(logits.read(trained.artifact("test", LAST, name))) == set(tasks)


def test_a_reader_ranks_by_the_score(trained: Place) -> None:
    user = trained.shows(LAST)["row_key"].to_pylist()[0].split("_")[0]
    assert trained.good("recommend", "--job", "ads", "--user", user, "--top", 3).out.count("\n") >= 3


def test_a_process_a_day_ends_bit_equal(trained: Place, tmp_path: Path) -> None:
    other = copy_of(trained, tmp_path / "other")
    for day in (FIRST, SECOND, tiny.OUTAGE, LAST):
        ran = other.process("backfill", "--job", "ads", "--from", day, "--to", day, "--publish", "none")
        assert ran.code == 0, ran.err[-2000:]
    compared = other.run("compare-chains", other.root, trained.root, "--job", "ads").out
    assert compared.startswith("equal: 12 trained days of 4 experiments"), compared
